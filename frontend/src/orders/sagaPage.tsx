import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { messages as sharedMessages } from "@/ui/messages";
import { Page } from "@/ui/page";
import { Skeleton } from "@/ui/skeleton";

import { pieces } from "./api";
import { BreakIt } from "./breakIt";
import { CancelButton } from "./cancelDialog";
import { Copy } from "./copy";
import { messages } from "./messages";
import { OrderFrame } from "./orderFrame";
import { SagaLog } from "./sagaLog";
import { SagaView } from "./sagaView";
import { LiveStatus, OrderStatus, shortId } from "./status";

/** `/orders/:id/saga`: a checkout, step by step, as it happens. */
export function Component() {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <OrderFrame>
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
              <SagaView saga={saga} count={pieces(order.lines)} />
            </Card>
          ) : (
            <Skeleton className="h-96" />
          )}
          <SagaLog changes={changes} />
          {order.trace_id && <Trace id={order.trace_id} />}
          <BreakIt order={order} />
        </Page>
      )}
    </OrderFrame>
  );
}

/** The way to this very checkout in the traces. Nobody can tell from here whether Jaeger runs, so the hint says when it does. */
function Trace({ id }: { id: string }) {
  const t = useMessages(messages);
  const shared = useMessages(sharedMessages);
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
      <a
        href={`http://${window.location.hostname}:16686/trace/${id}`}
        target="_blank"
        rel="noreferrer"
        className="inline-flex min-h-10 items-center gap-2 rounded-lg border border-edge bg-surface px-4 py-2 text-sm font-semibold hover:bg-raised"
      >
        {t.jaeger}
        <span aria-hidden>↗</span>
        <span className="sr-only">{shared.newTab}</span>
      </a>
      <p className="text-sm text-muted">{t.jaegerHint}</p>
      <span className="flex items-center gap-2 text-sm text-muted">
        {t.traceId}
        <Copy text={id} label={t.traceId} shown={id} />
      </span>
    </div>
  );
}
