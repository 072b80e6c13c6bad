import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useForm } from "react-hook-form";

import { api, call } from "@/api/client";
import { isFinal } from "@/checkout/placeOrder";
import { useMessages } from "@/i18n";
import { TextField } from "@/ui/field";
import { FormDialog, reasonSchema } from "@/ui/formDialog";
import { formMessages } from "@/ui/formMessages";
import { z } from "@/ui/zod";

import { cacheLevels } from "./levels";
import { messages } from "./messages";
import type { Product } from "./productDialogs";

/** A dialog to adjust a product's stock. A retry reuses its idempotency key until there is a final response. */
export function AdjustDialog({ product, onClose }: { product: Product; onClose: () => void }) {
  const t = useMessages(messages);
  const words = useMessages(formMessages);
  const queries = useQueryClient();
  const form = useForm({
    resolver: zodResolver(
      z.object({
        delta: z
          .string()
          .trim()
          .regex(/^[+-]?\d{1,9}$/, t.noDelta)
          .transform(Number)
          .refine((delta) => delta !== 0, t.noDelta),
        reason: reasonSchema(words, 200),
      }),
    ),
    defaultValues: { delta: "", reason: "" },
  });
  const key = useRef(crypto.randomUUID());
  const { errors } = form.formState;
  return (
    <FormDialog
      title={t.adjustTitle(product.name)}
      description={t.adjustText}
      submit={t.adjust}
      done={t.adjusted}
      onClose={onClose}
      form={form}
      onSubmit={async (body) => {
        const params = { path: { sku: product.sku }, header: { "Idempotency-Key": key.current } };
        try {
          cacheLevels(queries, await call(api.POST("/v1/products/{sku}/stock-adjustments", { params, body })));
        } catch (error) {
          if (isFinal(error)) key.current = crypto.randomUUID();
          throw error;
        }
        await queries.invalidateQueries({ queryKey: ["catalog"] });
      }}
    >
      <TextField
        label={t.delta}
        inputMode="text"
        autoComplete="off"
        error={errors.delta?.message}
        {...form.register("delta")}
      />
      <TextField
        label={words.reason}
        hint={words.reasonHint}
        autoComplete="off"
        error={errors.reason?.message}
        {...form.register("reason")}
      />
    </FormDialog>
  );
}
