import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { Page } from "@/ui/page";
import { Skeleton } from "@/ui/skeleton";

import { countItems } from "./api";
import { BreakIt } from "./breakIt";
import { CancelButton } from "./cancelDialog";
import { messages } from "./messages";
import { OrderFrame } from "./orderFrame";
import { SagaLog } from "./sagaLog";
import { SagaView } from "./sagaView";
import { LiveStatus, OrderStatus, shortId } from "./status";
import { Trace } from "./trace";

/** `/orders/:id/saga`: the live steps of a checkout and of its returns. */
export function Component() {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <OrderFrame title={t.checkoutOf}>
      {({ order, saga, changes, connection }) => (
        <Page
          title={t.checkoutOf(shortId(order.id))}
          lead={`${t.placed(format.moment(order.created_at))} · ${format.money(order.total)}`}
          actions={
            <>
              <CancelButton order={order} />
              <ButtonLink to={`/orders/${order.id}`}>{t.toOrder}</ButtonLink>
            </>
          }
        >
          <div className="-mt-2 flex flex-wrap items-center gap-2">
            <LiveStatus connection={connection} />
            <OrderStatus order={order} />
          </div>
          {saga ? (
            <Card>
              <SagaView saga={saga} count={countItems(order.lines)} order={order.status} />
            </Card>
          ) : (
            <Skeleton className="h-96" />
          )}
          {order.returns.map(({ id, lines, created_at }) => {
            const own = saga?.returns.find((other) => other.id === id);
            return (
              own && (
                <Card key={id} aria-labelledby={id} className="grid gap-4">
                  <h2 id={id} className="text-xl font-semibold">
                    {t.returnOf(format.moment(created_at))}
                  </h2>
                  <SagaView saga={own} count={countItems(lines)} />
                </Card>
              )
            );
          })}
          <SagaLog changes={changes} />
          {order.trace_id && <Trace id={order.trace_id} />}
          <BreakIt order={order} />
        </Page>
      )}
    </OrderFrame>
  );
}
