import { useState } from "react";
import { useSearchParams } from "react-router";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Button, ButtonLink } from "@/ui/button";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";

import { Id } from "../id";
import { ListTable, usePages } from "../list";
import { messages as common } from "../messages";
import { Status } from "../status";
import { messages } from "./messages";
import { type Payment, refundableAmount, RefundDialog } from "./refundDialog";

/** `/admin/payments`: all payments, or those of the order in the address, with refunds. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const format = useFormat();
  const [search] = useSearchParams();
  const [refunding, setRefunding] = useState<Payment>();
  const order = search.get("order");
  const pages = usePages(["admin", "payments", order], (cursor, signal) =>
    call(api.GET("/v1/payments", { params: { query: { ...(order ? { order_id: order } : {}), ...cursor } }, signal })),
  );
  return (
    <Page
      title={t.payments}
      lead={order ? t.ofOrder : t.paymentsLead}
      actions={order && <ButtonLink to="/admin/payments">{words.showAll}</ButtonLink>}
    >
      <ListTable
        caption={t.payments}
        pages={pages}
        keyOf={({ id }) => id}
        columns={[
          {
            head: words.order,
            render: (payment) => (
              <span className="grid">
                <Id id={payment.order_id} to={`/orders/${payment.order_id}`} />
                <span className="text-xs whitespace-nowrap text-muted">{format.moment(payment.created_at)}</span>
              </span>
            ),
          },
          {
            head: t.payment,
            render: (payment) => (
              <span className="grid max-w-60 gap-0.5">
                <Id id={payment.id} />
                <code className="text-xs whitespace-nowrap">{payment.payment_method}</code>
                {payment.failure && <span className="text-xs text-muted">{payment.failure.message}</span>}
              </span>
            ),
          },
          { head: words.status, render: (payment) => <Status of={payment.status} /> },
          { head: t.authorized, isNumber: true, render: (payment) => format.money(payment.authorized) },
          { head: t.captured, isNumber: true, render: (payment) => format.money(payment.captured) },
          {
            head: t.refunded,
            isNumber: true,
            render: ({ refunded, refunds }) => (
              <div className="grid gap-1">
                {format.money(refunded)}
                {refunds.length > 0 && <Refunds of={refunds} />}
              </div>
            ),
          },
          {
            head: words.actions,
            render: (payment) =>
              refundableAmount(payment).amount > 0 && <Button onClick={() => setRefunding(payment)}>{t.refund}</Button>,
          },
        ]}
        empty={<Empty title={t.noPayments}>{t.noPaymentsText}</Empty>}
      />
      {refunding && <RefundDialog payment={refunding} onClose={() => setRefunding(undefined)} />}
    </Page>
  );
}

function Refunds({ of }: { of: Payment["refunds"] }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <ul aria-label={t.refunds} className="grid justify-items-end gap-1.5 text-xs text-muted">
      {of.map((refund) => (
        <li key={refund.id} className="grid max-w-44 justify-items-end gap-0.5">
          <span className="flex items-center gap-1.5 whitespace-nowrap">
            {of.length > 1 && format.money(refund.amount)}
            <Status of={refund.status} />
          </span>
          <span className="break-words">{refund.reason}</span>
        </li>
      ))}
    </ul>
  );
}
