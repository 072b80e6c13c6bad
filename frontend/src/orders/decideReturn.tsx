import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { type Money, useFormat } from "@/i18n/format";
import { Button } from "@/ui/button";
import { FormDialog, ReasonDialog } from "@/ui/formDialog";

import { orderKey } from "./api";
import { messages } from "./messages";

interface Props {
  order: string;
  /** The id of the return. */
  id: string;
  amount: Money;
}

/** Buttons for an operator to confirm the receipt of returned items or to refuse the return. */
export default function DecideReturn({ order, id, amount }: Props) {
  const t = useMessages(messages);
  const format = useFormat();
  const queries = useQueryClient();
  const form = useForm();
  const [open, setOpen] = useState<"receive" | "refuse">();
  const path = { id: order, return_id: id };
  const close = () => setOpen(undefined);
  const refresh = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: orderKey(order) }),
      queries.invalidateQueries({ queryKey: ["admin"] }),
    ]);
  return (
    <div className="mt-2 flex flex-wrap gap-2">
      <Button look="primary" onClick={() => setOpen("receive")}>
        {t.receive}
      </Button>
      <Button look="danger" onClick={() => setOpen("refuse")}>
        {t.refuseReturn}
      </Button>
      {open === "receive" && (
        <FormDialog
          title={t.receiveTitle}
          description={t.receiveText(format.money(amount))}
          submit={t.receive}
          done={t.received}
          onClose={close}
          form={form}
          onSubmit={async () => {
            await call(api.POST("/v1/orders/{id}/returns/{return_id}/receipt", { params: { path } }));
            await refresh();
          }}
        />
      )}
      {open === "refuse" && (
        <ReasonDialog
          title={t.refuseTitle}
          description={t.refuseText}
          submit={t.refuseReturn}
          look="danger"
          done={t.refusedReturn}
          onClose={close}
          act={async (reason) => {
            await call(api.POST("/v1/orders/{id}/returns/{return_id}/refusal", { params: { path }, body: { reason } }));
            await refresh();
          }}
        />
      )}
    </div>
  );
}
