import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Page } from "@/ui/page";
import { Empty, Failure } from "@/ui/states";

import { TableSkeleton } from "../list";
import { messages as common } from "../messages";
import { Table } from "../table";
import { type Quota, type Routes, useRoutes } from "./api";
import { messages } from "./messages";

/** `/admin/gateway/limits`: concurrent calls of all routes, and the quotas of all policies. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const { data, error, refetch } = useRoutes();
  return (
    <Page title={t.limits} lead={t.limitsLead}>
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {data && (
        <>
          <Quotas quotas={data.quotas} />
          <Concurrent routes={data.items} />
        </>
      )}
      {!data && !error && <TableSkeleton label={words.loading} />}
    </Page>
  );
}

function Quotas({ quotas }: { quotas: readonly Quota[] }) {
  const t = useMessages(messages);
  const format = useFormat();
  const text = ({ by, quota, window_seconds, is_shared }: Quota["rules"][number]) =>
    t.perTime(format.number(quota), format.duration(window_seconds * 1_000), t.by[by]) + (is_shared ? t.shared : "");
  return (
    <section className="grid gap-3">
      <div>
        <h2 className="text-xl font-semibold">{t.quotas}</h2>
        <p className="text-sm text-muted">{t.quotasLead}</p>
      </div>
      {quotas.length === 0 ? (
        <Empty title={t.noQuotas} />
      ) : (
        <Table
          caption={t.quotas}
          rows={quotas}
          keyOf={({ policy }) => policy}
          columns={[
            {
              head: t.policy,
              sortBy: ({ policy }) => policy,
              render: ({ policy }) =>
                policy === "unmatched" ? <span className="text-muted">{t.unmatched}</span> : policy,
            },
            {
              head: t.quota,
              render: ({ rules }) => (
                <ul className="grid gap-0.5">
                  {rules.map((rule) => (
                    <li key={text(rule)}>{text(rule)}</li>
                  ))}
                </ul>
              ),
            },
            { head: t.rejected, isNumber: true, sortBy: ({ refused }) => refused, render: ({ refused }) => <Rejected count={refused} /> },
          ]}
        />
      )}
    </section>
  );
}

function Concurrent({ routes }: { routes: Routes["items"] }) {
  const t = useMessages(messages);
  const format = useFormat();
  const rows = routes.flatMap(({ name, limits }) => limits.map((limit) => ({ route: name, ...limit })));
  return (
    <section className="grid gap-3">
      <div>
        <h2 className="text-xl font-semibold">{t.concurrent}</h2>
        <p className="text-sm text-muted">{t.concurrentLead}</p>
      </div>
      {rows.length === 0 ? (
        <Empty title={t.noLimits} />
      ) : (
        <Table
          caption={t.concurrent}
          rows={rows}
          keyOf={({ route, upstream }) => `${route} ${upstream}`}
          columns={[
            { head: t.route, sortBy: ({ route }) => route, render: ({ route }) => route },
            { head: t.upstream, sortBy: ({ upstream }) => upstream, render: ({ upstream }) => upstream },
            {
              head: t.inFlight,
              isNumber: true,
              sortBy: ({ in_flight, max }) => in_flight / max,
              render: ({ in_flight, max }) => t.ofMax(format.number(in_flight), format.number(max)),
            },
            {
              head: t.queued,
              isNumber: true,
              sortBy: ({ queued }) => queued,
              render: ({ queued, queue }) => t.ofMax(format.number(queued), format.number(queue)),
            },
            { head: t.rejected, isNumber: true, sortBy: ({ refused }) => refused, render: ({ refused }) => <Rejected count={refused} /> },
          ]}
        />
      )}
    </section>
  );
}

function Rejected({ count }: { count: number }) {
  const format = useFormat();
  return <span className={count > 0 ? "font-bold text-clay" : "text-muted"}>{format.number(count)}</span>;
}
