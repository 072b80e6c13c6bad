import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { useForm } from "react-hook-form";

import { api, call, type Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { TextField } from "@/ui/field";
import { FormDialog } from "@/ui/formDialog";
import { formMessages } from "@/ui/formMessages";
import { z } from "@/ui/zod";

import { messages } from "./messages";

/** An order as the back office lists it. */
export type Order = Schemas["Order"];

interface Props {
  order: Order;
  onClose: () => void;
}

/** A dialog to mark an order as shipped. */
export function ShipDialog({ order, onClose }: Props) {
  const t = useMessages(messages);
  const words = useMessages(formMessages);
  const queries = useQueryClient();
  const short = z.string().trim().max(100, words.tooLong(100));
  const form = useForm({
    resolver: zodResolver(z.object({ carrier: short, tracking_number: short })),
    defaultValues: { carrier: "", tracking_number: "" },
  });
  const { errors } = form.formState;
  return (
    <FormDialog
      title={t.shipTitle}
      description={t.shipText(order.shipping_address.name)}
      submit={t.ship}
      done={t.shipped}
      onClose={onClose}
      form={form}
      onSubmit={async ({ carrier, tracking_number }) => {
        const body = { carrier: carrier || null, tracking_number: tracking_number || null };
        await call(api.POST("/v1/orders/{id}/shipments", { params: { path: { id: order.id } }, body }));
        await queries.invalidateQueries({ queryKey: ["admin"] });
      }}
    >
      <TextField label={t.carrier} autoComplete="off" error={errors.carrier?.message} {...form.register("carrier")} />
      <TextField
        label={t.tracking}
        autoComplete="off"
        error={errors.tracking_number?.message}
        {...form.register("tracking_number")}
      />
    </FormDialog>
  );
}

/** A dialog to mark an order as delivered. */
export function DeliverDialog({ order, onClose }: Props) {
  const t = useMessages(messages);
  const queries = useQueryClient();
  return (
    <FormDialog
      title={t.deliverTitle}
      description={t.deliverText(order.shipping_address.name)}
      submit={t.deliver}
      done={t.delivered}
      onClose={onClose}
      form={useForm()}
      onSubmit={async () => {
        await call(api.POST("/v1/orders/{id}/deliveries", { params: { path: { id: order.id } } }));
        await queries.invalidateQueries({ queryKey: ["admin"] });
      }}
    />
  );
}
