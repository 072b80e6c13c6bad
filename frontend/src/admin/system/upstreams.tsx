import { useQuery } from "@tanstack/react-query";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Badge } from "@/ui/badge";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/states";

import { type Breaker, readUpstreams, type Upstream } from "../api";
import { TableSkeleton } from "../list";
import { messages as common } from "../messages";
import { Status } from "../status";
import { Table } from "../table";
import { messages } from "./messages";

export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const { data, error, refetch } = useQuery({
    queryKey: ["admin", "upstreams"],
    queryFn: ({ signal }) => readUpstreams(signal),
    refetchInterval: 2_000,
  });
  return (
    <Page title={t.upstreams} lead={t.upstreamsLead}>
      {data ? (
        data.items.map((upstream) => <Instances key={upstream.name} upstream={upstream} />)
      ) : error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : (
        <TableSkeleton label={words.loading} />
      )}
      <Outboxes />
    </Page>
  );
}

function Instances({ upstream }: { upstream: Upstream }) {
  const t = useMessages(messages);
  const format = useFormat();
  const { name, protocol, discover, instances, breaker } = upstream;
  return (
    <section className="grid gap-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <h2 className="text-xl font-semibold">{name}</h2>
        <span className="text-sm text-muted">
          {protocol} · {discover}
        </span>
        <span className="ml-auto">
          <BreakerState breaker={breaker} />
        </span>
      </div>
      {instances.length === 0 ? (
        <p className="text-muted">{t.nobody}</p>
      ) : (
        <Table
          caption={t.instances(name)}
          rows={instances}
          keyOf={({ address }) => address}
          columns={[
            { head: t.address, render: ({ address }) => <code className="text-xs">{address}</code> },
            { head: t.inFlight, isNumber: true, render: ({ in_flight }) => format.number(in_flight) },
            { head: t.requests, isNumber: true, render: ({ requests }) => format.number(requests) },
            {
              head: t.failures,
              isNumber: true,
              render: ({ failures }) => (
                <span className={failures > 0 ? "font-bold text-clay" : ""}>{format.number(failures)}</span>
              ),
            },
            {
              head: t.lastFailure,
              render: ({ last_failure }) =>
                last_failure ? (
                  <span className="grid">
                    <span>{format.moment(last_failure.at)}</span>
                    <span className="text-xs text-muted">{last_failure.reason}</span>
                  </span>
                ) : (
                  <span className="text-muted">{t.never}</span>
                ),
            },
          ]}
        />
      )}
    </section>
  );
}

function BreakerState({ breaker }: { breaker: Breaker | null | undefined }) {
  const t = useMessages(messages);
  const format = useFormat();
  if (!breaker) return <Badge tone="neutral">{t.noBreaker}</Badge>;
  const { state, failure_rate, retry_in_seconds } = breaker;
  return (
    <span className="flex flex-wrap items-center gap-2 text-sm">
      <span className="text-muted">{t.breaker}</span>
      <Status of={state} />
      <span className="num">{t.failureRate(format.percent(failure_rate))}</span>
      {state === "open" && retry_in_seconds != null && (
        <span className="num text-muted">{t.retryIn(format.duration(retry_in_seconds * 1000))}</span>
      )}
    </span>
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
