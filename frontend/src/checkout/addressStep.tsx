import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useId, useState } from "react";

import { addressesQuery } from "@/address/addressesQuery";
import type { Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";

import type { AddressStepProps as Props } from "./addressStepProps";
import { AddressText } from "./addressText";
import type { Address } from "./draft";
import { messages } from "./messages";
import { RadioCard } from "./radioCard";

// The form's libraries are larger than the rest of the checkout, and not needed for a saved address.
const NewAddress = lazy(() => import("./newAddress"));

/** The first step: choose a saved address or enter another one. */
export function AddressStep(props: Props) {
  const t = useMessages(messages);
  const { data: saved, isPending } = useQuery(addressesQuery);
  if (isPending) return <AddressSkeleton />;
  if (saved && saved.length > 0) return <Choice {...props} saved={saved} />;
  return (
    <div className="grid gap-4">
      {!saved && <p className="text-muted">{t.noSaved}</p>}
      <Form {...props} />
    </div>
  );
}

/** The placeholder for the address step. */
export function AddressSkeleton() {
  return (
    <div className="grid gap-3">
      <Skeleton className="h-20 w-full rounded-xl" />
      <Skeleton className="h-20 w-full rounded-xl" />
    </div>
  );
}

/** The form for a new address, with a placeholder of the same height while it loads. */
function Form(props: Props) {
  return (
    <Suspense fallback={<Skeleton className="h-[47rem] w-full sm:h-[42rem] rounded-xl" />}>
      <NewAddress {...props} />
    </Suspense>
  );
}

function Choice({ saved, ...props }: Props & { saved: readonly Schemas["SavedAddress"][] }) {
  const { address, typed, onDone } = props;
  const t = useMessages(messages);
  const name = useId();
  const [chosen, setChosen] = useState(() => {
    const known = address
      ? saved.find((other) => isSame(toAddress(other), address))
      : saved.find(() => typed === undefined);
    return known?.id;
  });
  const selected = saved.find(({ id }) => id === chosen);
  return (
    <div className="grid gap-4">
      <fieldset className="grid gap-3">
        <legend className="sr-only">{t.addressTitle}</legend>
        {saved.map((other) => (
          <RadioCard key={other.id} name={name} isChosen={other.id === chosen} onChoose={() => setChosen(other.id)}>
            <AddressText address={toAddress(other)} />
          </RadioCard>
        ))}
        <RadioCard name={name} isChosen={!selected} onChoose={() => setChosen(undefined)}>
          <span className="font-semibold">{t.another}</span>
        </RadioCard>
      </fieldset>
      {selected ? (
        <div>
          <Button look="primary" onClick={() => onDone(toAddress(selected))}>
            {t.toPayment}
          </Button>
        </div>
      ) : (
        <Form
          {...props}
          address={address && saved.some((other) => isSame(toAddress(other), address)) ? undefined : address}
        />
      )}
    </div>
  );
}

/** Removes the fields of a saved address that an order does not accept. */
function toAddress({ id: _id, created_at: _created, updated_at: _updated, ...address }: Schemas["SavedAddress"]): Address {
  return address;
}

function isSame(one: Address, other: Address): boolean {
  const fields = ["name", "line1", "line2", "postal_code", "city", "region", "country", "phone"] as const;
  return fields.every((field) => (one[field] ?? "") === (other[field] ?? ""));
}
