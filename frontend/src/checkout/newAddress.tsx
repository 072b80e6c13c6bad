import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { addressesQuery } from "@/address/addressesQuery";
import { AddressForm } from "@/address/addressForm";
import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";

import type { AddressStepProps } from "./addressStepProps";
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

/** A form for an address that is not saved yet, with an option to save it. */
export default function NewAddress({ address, typed, onType, onDone }: AddressStepProps) {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const { data: methods } = useQuery(paymentMethodsQuery);
  const [isSaved, setSaved] = useState(false);
  const [example, setExample] = useState<Address>();
  const submit = async (entered: Address) => {
    if (isSaved) {
      await call(api.POST("/v1/users/me/addresses", { body: entered }));
      await queries.invalidateQueries({ queryKey: addressesQuery.queryKey });
    }
    onDone(entered);
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
        onSubmit={submit}
        onEdit={onType}
      >
        <label className="flex items-center gap-2.5">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={isSaved}
            onChange={({ target }) => setSaved(target.checked)}
          />
          {t.save}
        </label>
      </AddressForm>
    </div>
  );
}
