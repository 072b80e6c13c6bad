import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { addressesQuery } from "@/address/addressesQuery";
import { type Address, AddressForm } from "@/address/addressForm";
import { countryName } from "@/address/countries";
import { api, call, type Schemas } from "@/api/client";
import { useLocale, useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Dialog } from "@/ui/dialog";
import { notify } from "@/ui/live";
import { Skeleton } from "@/ui/skeleton";
import { Empty, Failure } from "@/ui/states";

import { Confirm } from "./confirm";
import { messages } from "./messages";
import { Section } from "./section";

type Saved = Schemas["SavedAddress"];

/** The list of saved addresses, with dialogs to add, edit and delete them. */
export function Addresses() {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(addressesQuery);
  const [edited, setEdited] = useState<Saved | "new">();
  const [removing, setRemoving] = useState<Saved>();
  const refresh = () => queries.invalidateQueries({ queryKey: addressesQuery.queryKey });
  const save = async (body: Address) => {
    if (edited === "new") await call(api.POST("/v1/users/me/addresses", { body }));
    else if (edited) await call(api.PUT("/v1/users/me/addresses/{id}", { params: { path: { id: edited.id } }, body }));
    await refresh();
    setEdited(undefined);
    notify(t.saved);
  };
  const add = (
    <Button look="primary" onClick={() => setEdited("new")}>
      {t.addAddress}
    </Button>
  );
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  return (
    <Section title={t.tabs.addresses} action={data && data.length > 0 && add}>
      {!data && (
        <Grid>
          <Skeleton className="h-52 rounded-2xl" />
          <Skeleton className="h-52 rounded-2xl" />
        </Grid>
      )}
      {data?.length === 0 && (
        <Empty title={t.noAddresses} action={add}>
          {t.noAddressesText}
        </Empty>
      )}
      {data && data.length > 0 && (
        <Grid>
          {data.map((address) => (
            <AddressCard
              key={address.id}
              address={address}
              onEdit={() => setEdited(address)}
              onRemove={() => setRemoving(address)}
            />
          ))}
        </Grid>
      )}
      {edited && (
        <Dialog open onOpenChange={() => setEdited(undefined)} title={edited === "new" ? t.newAddress : t.editAddress}>
          <AddressForm
            initial={edited === "new" ? undefined : edited}
            action={t.save}
            onSubmit={save}
            onCancel={() => setEdited(undefined)}
          />
        </Dialog>
      )}
      {removing && (
        <Confirm
          title={t.removeAddress}
          text={`${t.addressOf(removing.name, removing.line1)}. ${t.removeAddressText}`}
          action={t.remove}
          onConfirm={async () => {
            await call(api.DELETE("/v1/users/me/addresses/{id}", { params: { path: { id: removing.id } } }));
            await refresh();
            notify(t.addressRemoved);
          }}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </Section>
  );
}

function Grid({ children }: { children: ReactNode }) {
  return <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">{children}</div>;
}

function AddressCard({ address, onEdit, onRemove }: { address: Saved; onEdit: () => void; onRemove: () => void }) {
  const t = useMessages(messages);
  const { locale } = useLocale();
  const label = t.addressOf(address.name, address.line1);
  return (
    <Card className="flex flex-col justify-between gap-4">
      <address className="not-italic">
        <strong className="block">{address.name}</strong>
        {[
          address.line1,
          address.line2,
          `${address.postal_code} ${address.city}`,
          address.region,
          countryName(address.country, locale),
          address.phone,
        ]
          .filter(Boolean)
          .map((line) => (
            <span key={line} className="block break-words">
              {line}
            </span>
          ))}
      </address>
      <div className="-mb-2 -ml-4 flex gap-1">
        <Button look="quiet" aria-label={`${t.edit}: ${label}`} onClick={onEdit}>
          {t.edit}
        </Button>
        <Button look="quiet" aria-label={`${t.remove}: ${label}`} onClick={onRemove}>
          {t.remove}
        </Button>
      </div>
    </Card>
  );
}
