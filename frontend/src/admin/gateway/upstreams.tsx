import { useQuery } from "@tanstack/react-query";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/states";

import { TableSkeleton } from "../list";
import { messages as common } from "../messages";
import { Status } from "../status";
import { Table } from "../table";
import { useNow } from "../useNow";
import { type Breaker, type Upstream, useUpstreams } from "./api";
import { messages } from "./messages";
import { useFigures } from "./useFigures";

/** `/admin/gateway/upstreams`: the services behind the gateway, their circuit breakers, and the outboxes. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const { data, dataUpdatedAt, error, refetch } = useUpstreams();
  return (
    <Page title={t.upstreams} lead={t.upstreamsLead}>
      {data ? (
        <Instances upstreams={data.items} asOf={dataUpdatedAt} />
      ) : error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : (
        <TableSkeleton label={words.loading} />
      )}
      <Outboxes />
    </Page>
  );
}

/** One row for each instance, and one for a service without instances. */
function Instances({ upstreams, asOf }: { upstreams: readonly Upstream[]; asOf: number }) {
  const t = useMessages(messages);
  const format = useFormat();
  const figures = useFigures();
  const rows = upstreams.flatMap((upstream) => {
    const instances: (Upstream["instances"][number] | undefined)[] = upstream.instances;
    return (instances.length > 0 ? instances : [undefined]).map((instance) => ({ upstream, instance }));
  });
  const count = (value: number | undefined) => (value === undefined ? "–" : format.number(value));
  return (
    <Table
      caption={t.upstreams}
      rows={rows}
      keyOf={({ upstream, instance }) => `${upstream.name} ${instance?.address}`}
      columns={[
        {
          head: t.service,
          render: ({ upstream }) => (
            <span className="grid">
              <span className="font-medium">{upstream.name}</span>
              <span className="text-xs text-muted">
                {upstream.protocol} · {upstream.discover}
              </span>
            </span>
          ),
        },
        { head: t.breaker, render: ({ upstream }) => <Breakers breakers={upstream.breakers} asOf={asOf} /> },
        {
          head: t.address,
          render: ({ instance }) =>
            instance ? (
              <span className="grid justify-items-start gap-1">
                <code className="text-xs">{instance.address}</code>
                <Status of={instance.state} />
              </span>
            ) : (
              <span className="text-clay">{t.noInstance}</span>
            ),
        },
        {
          head: t.latency,
          isNumber: true,
          render: ({ instance }) => figures.latency(instance?.latency_seconds == null ? null : instance.latency_seconds * 1_000),
        },
        { head: t.inFlight, isNumber: true, render: ({ instance }) => count(instance?.in_flight) },
        { head: t.requests, isNumber: true, render: ({ instance }) => count(instance?.requests) },
        {
          head: t.failures,
          isNumber: true,
          render: ({ instance }) => (
            <span className={instance && instance.failures > 0 ? "font-bold text-clay" : ""}>
              {count(instance?.failures)}
            </span>
          ),
        },
        {
          head: t.lastFailure,
          render: ({ instance }) =>
            instance?.last_failure ? (
              <span className="grid">
                <span className="whitespace-nowrap">{format.moment(instance.last_failure.at)}</span>
                <span className="text-xs text-muted">{instance.last_failure.reason}</span>
              </span>
            ) : (
              <span className="text-muted">{t.never}</span>
            ),
        },
      ]}
    />
  );
}

/** The breakers of all routes. Closed ones are only counted. */
function Breakers({ breakers, asOf }: { breakers: readonly Breaker[]; asOf: number }) {
  const t = useMessages(messages);
  const format = useFormat();
  if (breakers.length === 0) return <span className="whitespace-nowrap text-muted">{t.noBreaker}</span>;
  const tripped = breakers.filter(({ state }) => state !== "closed");
  const closed = breakers.filter(({ state }) => state === "closed");
  const failed = closed.reduce((sum, { calls, failure_rate }) => sum + calls * failure_rate, 0);
  return (
    <ul className="grid gap-2 text-sm">
      {tripped.map((breaker) => (
        <Tripped key={breaker.route} breaker={breaker} asOf={asOf} />
      ))}
      {closed.length > 0 && (
        <li className="flex items-center gap-2 whitespace-nowrap">
          <Status of="closed" />
          <span className="num text-muted">{t.ofRoutes(closed.length, breakers.length)}</span>
          {failed > 0 && (
            <span className="num text-clay">
              {t.failureRate(format.percent(failed / closed.reduce((sum, { calls }) => sum + calls, 0)))}
            </span>
          )}
        </li>
      )}
    </ul>
  );
}

function Tripped({ breaker, asOf }: { breaker: Breaker; asOf: number }) {
  const t = useMessages(messages);
  const format = useFormat();
  const { route, state, failure_rate, slow_rate, retry_in_seconds } = breaker;
  const elapsed = Math.max(0, useNow(1_000) - asOf) / 1_000;
  return (
    <li className="grid gap-0.5">
      <span className="flex items-center gap-2">
        <Status of={state} />
        <code className="text-xs">{route}</code>
      </span>
      <span className="num text-xs text-muted">
        {[
          failure_rate > 0 && t.failureRate(format.percent(failure_rate)),
          slow_rate > 0 && t.slowRate(format.percent(slow_rate)),
          retry_in_seconds !== null &&
            t.retryIn(format.duration(Math.max(1, Math.ceil(retry_in_seconds - elapsed)) * 1_000)),
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </li>
  );
}

function Outboxes() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const format = useFormat();
  const { data, error, refetch } = useQuery({
    queryKey: ["admin", "outboxes"],
    queryFn: ({ signal }) => call(api.GET("/v1/admin/outboxes", { signal })),
    refetchInterval: 5_000,
  });
  return (
    <section className="grid gap-3">
      <div>
        <h2 className="text-xl font-semibold">{t.outboxes}</h2>
        <p className="text-sm text-muted">{t.outboxesLead}</p>
      </div>
      {data ? (
        <Table
          caption={t.outboxes}
          rows={data.items}
          keyOf={({ service }) => service}
          columns={[
            { head: t.service, render: ({ service }) => service },
            { head: t.pending, isNumber: true, render: ({ pending }) => format.number(pending) },
            {
              head: t.oldest,
              isNumber: true,
              render: ({ pending, oldest_age_seconds }) => (pending > 0 ? format.duration(oldest_age_seconds * 1000) : "–"),
            },
          ]}
        />
      ) : error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : (
        <TableSkeleton label={words.loading} rows={2} />
      )}
    </section>
  );
}
