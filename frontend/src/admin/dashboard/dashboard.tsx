import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { Page } from "@/ui/page";
import { Skeleton } from "@/ui/skeleton";
import { Empty, Failure } from "@/ui/states";

import { type MetricsSummary, useSummary } from "../api";
import { useOrderColumns } from "../sales/orderColumns";
import { Table } from "../table";
import { TextLink } from "../textLink";
import { Bars } from "./bars";
import { Figures } from "./figures";
import { messages } from "./messages";
import { Revenue } from "./revenue";

/** `/admin`: the key figures, revenue, funnel, best sellers and latest orders. */
export function Component() {
  const t = useMessages(messages);
  const { data, error, refetch } = useSummary();
  return (
    <Page title={t.title} lead={t.lead}>
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {data && <Summary summary={data} />}
      {!data && !error && <DashboardSkeleton />}
    </Page>
  );
}

function Summary({ summary }: { summary: MetricsSummary }) {
  const t = useMessages(messages);
  const reasons: Record<string, string> = t.reasons;
  const { funnel, rejected_by_reason } = summary;
  const rejected = rejected_by_reason.reduce((sum, { count }) => sum + count, 0);
  return (
    <div className="grid gap-6">
      <Figures summary={summary} />
      <Revenue hours={summary.revenue} />
      <div className="grid gap-6 lg:grid-cols-2">
        <Card className="grid content-start gap-4">
          <div>
            <h2 className="text-xl font-semibold">{t.funnel}</h2>
            <p className="text-sm text-muted">{t.funnelText}</p>
          </div>
          <Bars
            whole={funnel.placed}
            bars={(["placed", "reserved", "authorized", "captured", "confirmed"] as const).map((step) => ({
              name: t.steps[step],
              count: funnel[step],
            }))}
          />
        </Card>
        <Card className="grid content-start gap-4">
          <h2 className="text-xl font-semibold">{t.rejected}</h2>
          {rejected === 0 ? (
            <p className="text-muted">{t.noneRejected}</p>
          ) : (
            <Bars
              whole={rejected}
              bars={rejected_by_reason.map(({ reason, count }) => ({ name: reasons[reason] ?? reason, count }))}
            />
          )}
        </Card>
      </div>
      <BestSellers summary={summary} />
      <Latest summary={summary} />
    </div>
  );
}

function BestSellers({ summary }: { summary: MetricsSummary }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <section className="grid gap-3">
      <h2 className="text-xl font-semibold">{t.best}</h2>
      {summary.best_sellers.length === 0 ? (
        <p className="text-muted">{t.noneSold}</p>
      ) : (
        <Table
          caption={t.best}
          rows={summary.best_sellers}
          keyOf={({ sku, revenue }) => sku + revenue.currency}
          columns={[
            { head: t.product, render: ({ sku, name }) => <TextLink to={`/products/${sku}`}>{name}</TextLink> },
            { head: t.sold, isNumber: true, render: ({ quantity }) => format.number(quantity) },
            { head: t.revenue, isNumber: true, render: ({ revenue }) => format.money(revenue) },
          ]}
        />
      )}
    </section>
  );
}

function Latest({ summary }: { summary: MetricsSummary }) {
  const t = useMessages(messages);
  const columns = useOrderColumns();
  return (
    <section className="grid gap-3">
      <div className="flex items-center justify-between gap-4">
        <h2 className="text-xl font-semibold">{t.latest}</h2>
        <ButtonLink look="quiet" to="/admin/orders">
          {t.allOrders}
        </ButtonLink>
      </div>
      {summary.latest.length === 0 ? (
        <Empty title={t.noOrders} />
      ) : (
        <Table caption={t.latest} rows={summary.latest} keyOf={({ id }) => id} columns={columns} />
      )}
    </section>
  );
}

function DashboardSkeleton() {
  const t = useMessages(messages);
  return (
    <div className="grid gap-6">
      <span className="sr-only">{t.loading}</span>
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        {Array.from({ length: 7 }, (_, index) => (
          <Skeleton key={index} className="h-28 rounded-2xl" />
        ))}
      </div>
      <Skeleton className="h-96 rounded-2xl" />
      <div className="grid gap-6 lg:grid-cols-2">
        <Skeleton className="h-72 rounded-2xl" />
        <Skeleton className="h-72 rounded-2xl" />
      </div>
    </div>
  );
}
