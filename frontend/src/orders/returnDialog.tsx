import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextArea } from "@/ui/field";
import { notify } from "@/ui/live";
import { Failure } from "@/ui/states";
import { Stepper } from "@/ui/stepper";

import { type JoinedOrder, lineName, orderKey } from "./api";
import { messages } from "./messages";
import { refundOf, type Returnable, returnable, wasShipped } from "./returnable";

/** The longest reason that the API accepts. */
const MAX_CHARACTERS = 500;

/** A button to return items. Renders nothing if no item can be returned. */
export function ReturnButton({ order }: { order: JoinedOrder }) {
  const t = useMessages(messages);
  const [isOpen, setOpen] = useState(false);
  const lines = returnable(order);
  if (lines.length === 0 && !isOpen) return null;
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t.returnItems}</Button>
      {isOpen && <ReturnDialog order={order} lines={lines} onClose={() => setOpen(false)} />}
    </>
  );
}

function ReturnDialog({ order, lines, onClose }: { order: JoinedOrder; lines: readonly Returnable[]; onClose: () => void }) {
  const t = useMessages(messages);
  const format = useFormat();
  const queries = useQueryClient();
  const only = lines.length === 1 ? lines[0] : undefined;
  const [chosen, setChosen] = useState<Record<string, number>>(only ? { [only.sku]: only.left } : {});
  const [reason, setReason] = useState("");
  const [isSubmitted, setSubmitted] = useState(false);
  // A repeated request uses the same idempotency key; a changed one gets a new key.
  const [request, setRequest] = useState<{ content: string; key: string }>();

  const items = lines.flatMap(({ sku }) => (chosen[sku] ? [{ sku, quantity: chosen[sku] }] : []));
  const amount = refundOf(order, lines, chosen);
  const length = reason.trim().length;
  const errors = { items: items.length === 0, reason: length === 0 ? t.reasonMissing : length > MAX_CHARACTERS ? t.reasonLong : undefined };

  const send = useMutation({
    mutationFn: (key: string) =>
      call(
        api.POST("/v1/orders/{id}/returns", {
          params: { path: { id: order.id }, header: { "Idempotency-Key": key } },
          body: { lines: items, reason: reason.trim() },
        }),
      ),
    onSuccess: () => {
      notify(t.returning);
      onClose();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: orderKey(order.id) }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setSubmitted(true);
    if (errors.items || errors.reason) {
      const field = errors.items ? "input" : "textarea";
      event.currentTarget.querySelector<HTMLElement>(field)?.focus();
      return;
    }
    const content = JSON.stringify([items, reason.trim()]);
    const key = request?.content === content ? request.key : crypto.randomUUID();
    setRequest({ content, key });
    send.mutate(key);
  };

  return (
    <Dialog open onOpenChange={onClose} title={t.returnItems} description={wasShipped(order) ? t.returnTextShipped : t.returnText}>
      <form onSubmit={submit} noValidate className="grid gap-4">
        <ul className="grid gap-3">
          {lines.map(({ sku, left, ...line }) => (
            <li key={sku} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
              <span className="min-w-0">
                <span className="font-medium">{lineName(line, format.locale)}</span>
                <span className="num block text-sm text-muted">{t.left(left)}</span>
              </span>
              <Stepper
                label={t.howMany(lineName(line, format.locale))}
                value={chosen[sku] ?? 0}
                min={0}
                max={left}
                onChange={(quantity) => setChosen((before) => ({ ...before, [sku]: quantity }))}
              />
            </li>
          ))}
        </ul>
        {isSubmitted && errors.items && (
          <p role="alert" className="text-sm text-clay">
            <span aria-hidden>▲ </span>
            {t.nothingChosen}
          </p>
        )}
        <TextArea
          label={t.returnReason}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          error={isSubmitted ? errors.reason : undefined}
        />
        {send.isError && <Failure error={send.error} />}
        <div className="flex justify-end">
          <Button type="submit" look="primary" busy={send.isPending}>
            {t.sendReturn(format.money({ ...order.total, amount }))}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
