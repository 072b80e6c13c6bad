import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Page } from "@/ui/page";
import { Skeleton } from "@/ui/skeleton";
import { Empty, Failure } from "@/ui/states";

import { Figure } from "../dashboard/figures";
import { messages as common } from "../messages";
import { Table } from "../table";
import { TextLink } from "../textLink";
import { type Routes, useConfig, useRoutes, useUpstreams } from "./api";
import { messages } from "./messages";
import { RateHistory } from "./rateHistory";
import { Share } from "./share";
import { useFigures } from "./useFigures";

/** The share of server errors from which the overview highlights them. */
const MANY_ERRORS = 0.01;
/** Number of routes in the list of the busiest ones. */
const BUSIEST = 8;

/** `/admin/gateway`: the rate and latencies of all requests, and what needs attention. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const { data, dataUpdatedAt, error, refetch } = useRoutes();
  return (
    <Page title={t.gateway} lead={t.overviewLead}>
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {data && (
        <>
          <RateHistory rate={data.total.requests_per_second} at={dataUpdatedAt} />
          <Totals total={data.total} />
          <Busiest routes={data.items} />
        </>
      )}
      {!data && !error && (
        <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
          <span className="sr-only">{words.loading}</span>
          {Array.from({ length: 8 }, (_, index) => (
            <Skeleton key={index} className="h-28 rounded-2xl" />
          ))}
        </div>
      )}
    </Page>
  );
}

function Totals({ total }: { total: Routes["total"] }) {
  const t = useMessages(messages);
  const format = useFormat();
  const figures = useFigures();
  return (
    <dl className="grid grid-cols-2 gap-4 lg:grid-cols-4">
      <Figure name={t.rate}>{figures.rate(total.requests_per_second)}</Figure>
      <Figure name={t.median}>{figures.latency(total.p50_ms)}</Figure>
      <Figure name={t.p99}>{figures.latency(total.p99_ms)}</Figure>
      <Figure name={t.clientErrors}>{format.percent(total.client_error_rate)}</Figure>
      <Figure name={t.serverErrors} isBad={total.server_error_rate >= MANY_ERRORS}>
        {format.percent(total.server_error_rate)}
      </Figure>
      <Protection />
      <Configuration />
    </dl>
  );
}

/** How many breakers are open, and how many instances are healthy. */
function Protection() {
  const t = useMessages(messages);
  const format = useFormat();
  const { data } = useUpstreams();
  if (!data) return null;
  const breakers = data.items.flatMap((upstream) => upstream.breakers);
  const instances = data.items.flatMap((upstream) => upstream.instances);
  const open = breakers.filter(({ state }) => state !== "closed").length;
  const healthy = instances.filter(({ state }) => state === "healthy").length;
  const show = <TextLink to="/admin/gateway/upstreams">{t.show}</TextLink>;
  return (
    <>
      <Figure
        name={t.openBreakers}
        isBad={open > 0}
        note={
          <>
            {t.ofBreakers(breakers.length)} {open > 0 && show}
          </>
        }
      >
        {format.number(open)}
      </Figure>
      <Figure
        name={t.instances}
        isBad={healthy < instances.length}
        note={
          <>
            {t.ofInstances(instances.length)} {healthy < instances.length && show}
          </>
        }
      >
        {format.number(healthy)}
      </Figure>
    </>
  );
}

function Configuration() {
  const t = useMessages(messages);
  const format = useFormat();
  const { data } = useConfig();
  if (!data) return null;
  const isRefused = Boolean(data.last_attempts[0]?.error);
  return (
    <Figure
      name={t.configuration}
      isBad={isRefused}
      note={
        <>
          {isRefused ? t.lastRefused : t.inForceSince(format.moment(data.current.at))}{" "}
          <TextLink to="/admin/gateway/configuration">{t.show}</TextLink>
        </>
      }
    >
      <code className="text-2xl">{data.current.digest?.slice(0, 8)}</code>
    </Figure>
  );
}

function Busiest({ routes }: { routes: Routes["items"] }) {
  const t = useMessages(messages);
  const figures = useFigures();
  const busy = routes
    .filter((route) => route.figures.requests_per_second > 0)
    .toSorted((one, other) => other.figures.requests_per_second - one.figures.requests_per_second)
    .slice(0, BUSIEST);
  return (
    <section className="grid gap-3">
      <h2 className="text-xl font-semibold">{t.busiest}</h2>
      {busy.length === 0 ? (
        <Empty title={t.quiet} />
      ) : (
        <Table
          caption={t.busiest}
          rows={busy}
          keyOf={({ name }) => name}
          columns={[
            { head: t.route, render: ({ name }) => <code className="text-xs">{name}</code> },
            { head: t.rate, isNumber: true, render: (route) => figures.rate(route.figures.requests_per_second) },
            { head: "5xx", isNumber: true, render: (route) => <Share of={route.figures.server_error_rate} /> },
            { head: t.p50Short, isNumber: true, render: (route) => figures.latency(route.figures.p50_ms) },
            { head: t.p99Short, isNumber: true, render: (route) => figures.latency(route.figures.p99_ms) },
          ]}
        />
      )}
    </section>
  );
}
