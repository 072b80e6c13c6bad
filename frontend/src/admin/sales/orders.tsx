import { useState } from "react";

import { api, call, type Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { isAwaitingItems, isShippable } from "@/orders/returnable";
import { Button, ButtonLink } from "@/ui/button";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";

import { ListTable, usePages } from "../list";
import { messages as common } from "../messages";
import { StatusFilter, useStatus } from "../statusFilter";
import { TextLink } from "../textLink";
import { DeliverDialog, type Order, ShipDialog } from "./fulfilmentDialogs";
import { messages } from "./messages";
import { useOrderColumns } from "./orderColumns";

const STATUSES: Schemas["OrderStatus"][] = [
  "pending",
  "confirmed",
  "shipped",
  "delivered",
  "rejected",
  "cancelled",
  "returned",
];

/** `/admin/orders`: the orders of all customers, with actions to ship and deliver them. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const [open, setOpen] = useState<{ kind: "ship" | "deliver"; order: Order }>();
  const status = useStatus(STATUSES);
  const pages = usePages(["admin", "orders", status ?? "all"], (cursor, signal) =>
    call(api.GET("/v1/orders", { params: { query: { all: true, ...(status ? { status } : {}), ...cursor } }, signal })),
  );
  const columns = useOrderColumns();
  return (
    <Page
      title={t.orders}
      lead={t.ordersLead}
      actions={<StatusFilter known={STATUSES} />}
    >
      <ListTable
        caption={t.orders}
        pages={pages}
        keyOf={({ id }) => id}
        columns={[
          ...columns,
          {
            head: words.actions,
            render: (order) => (
              <div className="flex items-center gap-3">
                {order.returns.some(isAwaitingItems) && <ButtonLink to={`/orders/${order.id}`}>{t.decideReturn}</ButtonLink>}
                {isShippable(order) && (
                  <Button onClick={() => setOpen({ kind: "ship", order })}>{t.ship}</Button>
                )}
                {order.status === "shipped" && (
                  <Button onClick={() => setOpen({ kind: "deliver", order })}>{t.deliver}</Button>
                )}
                <TextLink to={`/admin/sagas/${order.id}`}>{words.saga}</TextLink>
              </div>
            ),
          },
        ]}
        empty={
          <Empty title={t.noOrders} action={status && <ButtonLink to="/admin/orders">{words.showAll}</ButtonLink>}>
            {status && t.noOrdersText}
          </Empty>
        }
      />
      {open?.kind === "ship" && <ShipDialog order={open.order} onClose={() => setOpen(undefined)} />}
      {open?.kind === "deliver" && <DeliverDialog order={open.order} onClose={() => setOpen(undefined)} />}
    </Page>
  );
}
