import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useForm } from "react-hook-form";

import { api, call, type Schemas } from "@/api/client";
import { isFinal } from "@/checkout/placeOrder";
import { useMessages } from "@/i18n";
import { type Money, useFormat } from "@/i18n/format";
import { TextField } from "@/ui/field";
import { FormDialog, reasonSchema } from "@/ui/formDialog";
import { formMessages } from "@/ui/formMessages";
import { z } from "@/ui/zod";

import { amountSchema, amountText } from "../amount";
import { messages } from "./messages";

/** A payment with its refunds. */
export type Payment = Schemas["Payment"];

/** Returns the amount that can still be refunded: the captured amount minus all refunds that have not failed. */
export function refundableAmount({ captured, refunds }: Payment): Money {
  const active = refunds.filter(({ status }) => status !== "failed");
  const amount = captured.amount - active.reduce((sum, refund) => sum + refund.amount.amount, 0);
  return { amount, currency: captured.currency };
}

/** A dialog to refund a payment in full or in part. A retry reuses its idempotency key until there is a final response. */
export function RefundDialog({ payment, onClose }: { payment: Payment; onClose: () => void }) {
  const t = useMessages(messages);
  const words = useMessages(formMessages);
  const format = useFormat();
  const queries = useQueryClient();
  const left = refundableAmount(payment);
  const shown = format.money(left);
  const amount = amountSchema(left.currency, { noAmount: t.noAmount, tooMuch: t.tooMuch(shown) }, left.amount);
  const form = useForm({
    resolver: zodResolver(z.object({ amount, reason: reasonSchema(words) })),
    defaultValues: { amount: amountText(left, format.locale), reason: "" },
  });
  const key = useRef(crypto.randomUUID());
  const { errors } = form.formState;
  return (
    <FormDialog
      title={t.refundTitle}
      description={t.refundText(shown)}
      submit={t.refund}
      look="danger"
      done={t.promised}
      onClose={onClose}
      form={form}
      onSubmit={async (values) => {
        const body = { amount: { amount: values.amount, currency: left.currency }, reason: values.reason };
        const header = { "Idempotency-Key": key.current };
        try {
          await call(api.POST("/v1/payments/{id}/refunds", { params: { path: { id: payment.id }, header }, body }));
        } catch (error) {
          if (isFinal(error)) key.current = crypto.randomUUID();
          throw error;
        }
        await queries.invalidateQueries({ queryKey: ["admin"] });
      }}
    >
      <TextField
        label={t.amount(left.currency)}
        inputMode="decimal"
        autoComplete="off"
        error={errors.amount?.message}
        {...form.register("amount")}
      />
      <TextField
        label={words.reason}
        autoComplete="off"
        error={errors.reason?.message}
        {...form.register("reason")}
      />
    </FormDialog>
  );
}
