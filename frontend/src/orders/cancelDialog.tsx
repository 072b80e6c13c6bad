import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextArea } from "@/ui/field";
import { notify } from "@/ui/live";
import { Failure } from "@/ui/states";

import { type JoinedOrder, orderKey } from "./api";
import { messages } from "./messages";

/** The longest reason that the API accepts. */
const MAX_CHARACTERS = 500;

/** A button to cancel the order. Renders nothing once the order can no longer be cancelled. */
export function CancelButton({ order }: { order: JoinedOrder }) {
  const t = useMessages(messages);
  const [isOpen, setOpen] = useState(false);
  // The dialog stays open if the checkout ends meanwhile; the response will say that it is too late.
  const isTooLate = order.saga?.status !== "running" || order.saga.steps.some(({ pivot, state }) => pivot && state !== "pending");
  if ((order.status !== "pending" || isTooLate) && !isOpen) return null;
  return (
    <>
      <Button look="danger" onClick={() => setOpen(true)}>
        {t.cancel}
      </Button>
      {isOpen && <CancelDialog id={order.id} onClose={() => setOpen(false)} />}
    </>
  );
}

function CancelDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const isLong = reason.trim().length > MAX_CHARACTERS;
  const cancel = useMutation({
    mutationFn: () =>
      call(api.POST("/v1/orders/{id}/cancel", { params: { path: { id } }, body: { reason: reason.trim() || null } })),
    onSuccess: () => {
      notify(t.cancelling);
      onClose();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: orderKey(id) }),
  });
  const isTooLate = cancel.error instanceof Problem && cancel.error.status === 409;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isLong) cancel.mutate();
  };
  return (
    <Dialog open onOpenChange={onClose} title={t.cancel} description={t.cancelText}>
      <form onSubmit={submit} className="grid gap-4">
        <TextArea
          label={t.cancelReason}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          error={isLong ? t.reasonLong : undefined}
        />
        {isTooLate && (
          <p role="alert" className="rounded-xl bg-saffron-soft p-4 text-saffron">
            {t.tooLate}
          </p>
        )}
        {cancel.isError && !isTooLate && <Failure error={cancel.error} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{t.keep}</Button>
          <Button type="submit" look="danger" busy={cancel.isPending} disabled={isTooLate}>
            {t.cancel}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
