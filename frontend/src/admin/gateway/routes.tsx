import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { ButtonLink } from "@/ui/button";
import { Page } from "@/ui/page";
import { Empty, Failure } from "@/ui/states";

import { TableSkeleton } from "../list";
import { messages as common } from "../messages";
import { Search, useSearchTerm } from "../search";
import { Table } from "../table";
import { type Route, useRoutes } from "./api";
import { matchesTerm } from "./matchesTerm";
import { messages } from "./messages";
import { Share } from "./share";
import { useFigures } from "./useFigures";

/** `/admin/gateway/routes`: all routes with their rules and their figures of the last minute. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const { data, error, refetch } = useRoutes();
  return (
    <Page title={t.routes} lead={t.routesLead}>
      <Search label={t.search} />
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {data && <List routes={data.items} />}
      {!data && !error && <TableSkeleton label={words.loading} />}
    </Page>
  );
}

function List({ routes }: { routes: readonly Route[] }) {
  const t = useMessages(messages);
  const figures = useFigures();
  const term = useSearchTerm();
  const found = routes.filter((route) => matchesTerm(route, term));
  if (found.length === 0) {
    return (
      <Empty title={t.noRoutes} action={<ButtonLink to="/admin/gateway/routes">{t.showAll}</ButtonLink>}>
        {t.noRoutesText(term)}
      </Empty>
    );
  }
  return (
    <Table
      caption={t.routes}
      rows={found}
      keyOf={({ name }) => name}
      columns={[
        { head: t.route, sortBy: ({ name }) => name, render: (route) => <Name route={route} /> },
        {
          head: t.rate,
          isNumber: true,
          sortBy: (route) => route.figures.requests_per_second,
          render: (route) => figures.rate(route.figures.requests_per_second),
        },
        {
          head: "4xx",
          isNumber: true,
          sortBy: (route) => route.figures.client_error_rate,
          render: (route) => <Share of={route.figures.client_error_rate} isBad={false} />,
        },
        {
          head: "5xx",
          isNumber: true,
          sortBy: (route) => route.figures.server_error_rate,
          render: (route) => <Share of={route.figures.server_error_rate} />,
        },
        {
          head: t.p50Short,
          isNumber: true,
          sortBy: (route) => route.figures.p50_ms,
          render: (route) => figures.latency(route.figures.p50_ms),
        },
        {
          head: t.p99Short,
          isNumber: true,
          sortBy: (route) => route.figures.p99_ms,
          render: (route) => figures.latency(route.figures.p99_ms),
        },
        { head: t.action, render: (route) => <Action route={route} /> },
      ]}
    />
  );
}

function pairs(values: Record<string, string>, separator: string): string[] {
  return Object.entries(values).map(([name, value]) => name + separator + value);
}

/** The name of a route, and which requests it matches. */
function Name({ route }: { route: Route }) {
  const t = useMessages(messages);
  const { hosts, scheme, path, methods, headers, query } = route.match;
  const conditions = [...hosts, ...(scheme ? [scheme] : []), ...pairs(headers, ": "), ...pairs(query, "=")];
  return (
    <span className="grid min-w-44 gap-0.5">
      <span className="font-medium">{route.name}</span>
      <span className="text-xs text-muted">
        {methods.join(", ")} <code className="break-all">{path}</code>
      </span>
      {conditions.length > 0 && (
        <span className="text-xs text-muted">
          {t.onlyIf} <code>{conditions.join(", ")}</code>
        </span>
      )}
    </span>
  );
}

/** How a route produces its response, and the policies before that. */
function Action({ route }: { route: Route }) {
  const t = useMessages(messages);
  const format = useFormat();
  const { action, policies, deadline_ms } = route;
  return (
    <div className="grid min-w-56 gap-0.5">
      <span>
        {t.actions[action.kind](action.upstreams.join(", "))}{" "}
        <span className="text-muted">{t.deadline(format.duration(deadline_ms))}</span>
      </span>
      {action.detail && <code className="text-xs break-all text-muted">{action.detail}</code>}
      <details className="text-xs text-muted">
        <summary className="cursor-pointer py-1">
          {t.links}: {policies.map(({ name }) => name).join(", ")}
        </summary>
        <ol className="grid gap-0.5 pl-4">
          {policies.map(({ name, links }) => (
            <li key={name}>
              {name}: <code>{links.join(" → ")}</code>
            </li>
          ))}
        </ol>
      </details>
    </div>
  );
}
