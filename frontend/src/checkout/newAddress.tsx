import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { AddressForm } from "@/account/addressForm";
import { addressesQuery } from "@/account/addressesQuery";
import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";

import type { Props } from "./addressStep";
import type { Address } from "./draft";
import { messages } from "./messages";
import { isDemo, paymentMethodsQuery } from "./paymentMethods";

const EXAMPLE: Address = {
  name: "Ada Muster",
  line1: "Lindenallee 12",
  postal_code: "10115",
  city: "Berlin",
  country: "DE",
};

/** An address that is not saved yet. */
export default function NewAddress({ address, typed, onType, onDone }: Props) {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const { data: methods } = useQuery(paymentMethodsQuery);
  const [isKept, setKept] = useState(false);
  const [example, setExample] = useState<Address>();
  const take = async (given: Address) => {
    if (isKept) {
      await call(api.POST("/v1/users/me/addresses", { body: given }));
      await queries.invalidateQueries({ queryKey: addressesQuery.queryKey });
    }
    onDone(given);
  };
  return (
    <div className="grid gap-4">
      {isDemo(methods) && (
        <div>
          <Button onClick={() => setExample(EXAMPLE)}>{t.example}</Button>
        </div>
      )}
      <AddressForm
        key={example ? "example" : "own"}
        initial={example ?? typed ?? address}
        action={t.toPayment}
        onSubmit={take}
        onEdit={onType}
      >
        <label className="flex items-center gap-2.5">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={isKept}
            onChange={({ target }) => setKept(target.checked)}
          />
          {t.save}
        </label>
      </AddressForm>
    </div>
  );
}
