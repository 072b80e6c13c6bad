import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useId, useState } from "react";

import { addressesQuery } from "@/account/addressesQuery";
import type { Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";

import { AddressText } from "./addressText";
import type { Address } from "./draft";
import { messages } from "./messages";
import { RadioCard } from "./radioCard";

// The form's libraries are larger than the rest of the checkout, and whoever has an address does not need them.
const NewAddress = lazy(() => import("./newAddress"));

export interface Props {
  address: Address | undefined;
  /** What was written into the fields so far. */
  typed: Partial<Address> | undefined;
  onType: (fields: Partial<Address>) => void;
  onDone: (address: Address) => void;
}

/** Where to: one of the saved addresses, or another. */
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

export function AddressSkeleton() {
  return (
    <div className="grid gap-3">
      <Skeleton className="h-20 w-full rounded-xl" />
      <Skeleton className="h-20 w-full rounded-xl" />
    </div>
  );
}

/** As high as the form that comes. */
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
      ? saved.find((other) => isSame(bare(other), address))
      : saved.find(() => typed === undefined);
    return known?.id;
  });
  const one = saved.find(({ id }) => id === chosen);
  return (
    <div className="grid gap-4">
      <fieldset className="grid gap-3">
        <legend className="sr-only">{t.addressTitle}</legend>
        {saved.map((other) => (
          <RadioCard key={other.id} name={name} isChosen={other.id === chosen} onChoose={() => setChosen(other.id)}>
            <AddressText address={bare(other)} />
          </RadioCard>
        ))}
        <RadioCard name={name} isChosen={!one} onChoose={() => setChosen(undefined)}>
          <span className="font-semibold">{t.another}</span>
        </RadioCard>
      </fieldset>
      {one ? (
        <div>
          <Button look="primary" onClick={() => onDone(bare(one))}>
            {t.toPayment}
          </Button>
        </div>
      ) : (
        <Form
          {...props}
          address={address && saved.some((other) => isSame(bare(other), address)) ? undefined : address}
        />
      )}
    </div>
  );
}

/** The address of a saved one, as an order takes it. */
function bare({ id: _id, created_at: _created, updated_at: _updated, ...address }: Schemas["SavedAddress"]): Address {
  return address;
}

function isSame(one: Address, other: Address): boolean {
  const fields = ["name", "line1", "line2", "postal_code", "city", "region", "country", "phone"] as const;
  return fields.every((field) => (one[field] ?? "") === (other[field] ?? ""));
}
