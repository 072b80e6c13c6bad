import type { Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";

import { Id } from "../id";
import { messages as common } from "../messages";
import { Status } from "../status";
import type { Column } from "../table";
import { messages } from "./messages";

/** The columns for a table of orders, on the orders page and the dashboard. */
export function useOrderColumns(): Column<Schemas["Order"]>[] {
  const t = useMessages(messages);
  const words = useMessages(common);
  const format = useFormat();
  return [
    {
      head: words.order,
      render: (order) => (
        <span className="grid">
          <Id id={order.id} to={`/orders/${order.id}`} />
          <span className="text-xs whitespace-nowrap text-muted">{format.moment(order.created_at)}</span>
        </span>
      ),
    },
    { head: t.customer, render: (order) => order.shipping_address.name },
    { head: t.items, isNumber: true, render: (order) => order.lines.reduce((sum, { quantity }) => sum + quantity, 0) },
    { head: t.total, isNumber: true, render: (order) => format.money(order.total) },
    {
      head: words.status,
      render: (order) => (
        <span className="grid justify-items-start gap-0.5">
          <Status of={order.status} />
          {order.reason && <code className="text-xs text-muted">{order.reason}</code>}
        </span>
      ),
    },
    { head: t.payment, render: (order) => <Status of={order.payment_status} /> },
    { head: t.fulfilment, render: (order) => <Status of={order.fulfilment_status} /> },
  ];
}
