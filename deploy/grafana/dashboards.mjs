// Generates dashboards/*.json, which Grafana reads. Change this file, then run `node deploy/grafana/dashboards.mjs`.
import { writeFileSync } from "node:fs";

const prometheus = { type: "prometheus", uid: "prometheus" };
const http = "http_server_request_duration_seconds";
const q = (quantile, metric, by, where = "") =>
  `histogram_quantile(${quantile}, sum by (le${by ? `, ${by}` : ""}) (rate(${metric}_bucket{${where}}[$__rate_interval])))`;
const rate = (metric, by, where = "") => `sum${by ? ` by (${by})` : ""} (rate(${metric}{${where}}[$__rate_interval]))`;

/** A time series panel; each target is `[query, legend]`. */
const lines = (title, unit, ...targets) => ({ type: "timeseries", title, unit, targets });
/** A time series panel for failures. A healthy system has none, and a series starts with its first failure. */
const failures = (title, unit, ...targets) => ({ ...lines(title, unit, ...targets), noValue: "None so far" });
/** A single number, red from `red.from` upwards or below `red.below`. */
const stat = (title, unit, red, ...targets) => ({ type: "stat", title, unit, red, targets });
/** A panel with one bar per target, in their order. */
const bars = (title, unit, ...targets) => ({ type: "bargauge", title, unit, targets });

/** The number of checkouts that reached a step in the selected time range, with any outcome. */
const reached = (step) => [`sum(increase(messaging_process_duration_seconds_count{kind=~"${step}.v[0-9]+",outcome="handled"}[$__range]))`, step.split(".")[1]];

const dashboards = {
  overview: ["Overview and SLO", [
    stat("Availability, 1 h", "percentunit", { below: 0.999 }, ["1 - slo:availability_errors:ratio_rate1h", ""]),
    stat("Responses within 0.5 s, 1 h", "percentunit", { below: 0.99 }, ["1 - slo:latency_errors:ratio_rate1h", ""]),
    stat("Remaining error budget, availability, 30 d", "percentunit", { below: 0 }, ["1 - slo:availability_errors:ratio_rate30d / 0.001", ""]),
    stat("Remaining error budget, latency, 30 d", "percentunit", { below: 0 }, ["1 - slo:latency_errors:ratio_rate30d / 0.01", ""]),
    stat("Firing alerts", "short", { from: 1 }, ['count(ALERTS{alertstate="firing"}) or vector(0)', ""]),
    lines("Burn rate, availability", "short", ...["5m", "1h", "6h"].map((w) => [`slo:availability_errors:ratio_rate${w} / 0.001`, w])),
    lines("Burn rate, latency", "short", ...["5m", "1h", "6h"].map((w) => [`slo:latency_errors:ratio_rate${w} / 0.01`, w])),
    lines("Requests", "reqps", [rate(`${http}_count`, "service"), "{{service}}"]),
    lines("Completed checkouts by outcome", "ops", [rate("saga_total", "outcome", 'saga="checkout"'), "{{outcome}}"]),
    lines("Violated invariants", "short", ["max by (invariant) (audit_invariant_violations)", "{{invariant}}"]),
    lines("Targets that are up", "short", ["min by (service) (up)", "{{service}}"]),
  ]],
  red: ["Service RED", [
    lines("Requests", "reqps", [rate(`${http}_count`, "http_route", 'service="$service"'), "{{http_route}}"]),
    failures("Errors", "reqps", [rate(`${http}_count`, "http_route, http_response_status_code", 'service="$service",http_response_status_code=~"[45].."'), "{{http_response_status_code}} {{http_route}}"]),
    lines("Duration", "s", ...[0.5, 0.95, 0.99].map((p) => [q(p, http, "", 'service="$service"'), `p${p * 100}`])),
    lines("Duration by route, p95", "s", [q(0.95, http, "http_route", 'service="$service"'), "{{http_route}}"]),
    lines("HTTP calls to other services, p95", "s", [q(0.95, "http_client_request_duration_seconds", "service, server_address"), "{{service}} → {{server_address}}"]),
    lines("gRPC calls, p95", "s", [q(0.95, "rpc_client_duration_seconds", "service, rpc_method"), "{{service}} calls {{rpc_method}}"], [q(0.95, "rpc_server_duration_seconds", "service, rpc_method"), "{{service}} answers {{rpc_method}}"]),
  ], true],
  saga: ["Saga", [
    stat("Active", "short", null, ["max(saga_active)", ""]),
    stat("Compensating", "short", null, ["max(saga_compensating)", ""]),
    stat("Parked", "short", { from: 1 }, ["max(saga_parked)", ""]),
    stat("Waiting to start", "short", { from: 100 }, ["max(saga_waiting)", ""]),
    stat("Oldest active", "s", { from: 300 }, ["max(saga_oldest_active_age_seconds)", ""]),
    bars("Funnel: checkouts that reached a step", "short",
      ...["inventory.reserve_stock", "payments.authorize_payment", "inventory.pin_stock", "payments.capture_payment", "inventory.commit_stock"].map(reached),
      ['sum(increase(saga_total{saga="checkout",outcome="completed"}[$__range]))', "completed"]),
    lines("Outcomes", "ops", [rate("saga_total", "saga, outcome"), "{{saga}} {{outcome}}"]),
    lines("Duration of steps, p95", "s", [q(0.95, "messaging_process_duration_seconds", "kind", 'queue=~".*commands"'), "{{kind}}"]),
    lines("Orders refused for overload", "ops", [rate("orders_refused_total", ""), "refused"]),
    lines("Unanswered compensations", "short", ["max(saga_compensations_unanswered)", "sent three times or more"]),
  ]],
  messaging: ["Messaging", [
    lines("Ready", "short", ["sum by (queue) (rabbitmq_detailed_queue_messages_ready)", "{{queue}}"]),
    lines("Unacknowledged", "short", ["sum by (queue) (rabbitmq_detailed_queue_messages_unacked)", "{{queue}}"]),
    lines("Consumers", "short", ["sum by (queue) (rabbitmq_detailed_queue_consumers)", "{{queue}}"]),
    stat("Dead letters", "short", { from: 1 }, ["max(dead_letters)", ""]),
    lines("Outbox: age of the oldest", "s", ["max by (service) (outbox_oldest_age_seconds)", "{{service}}"]),
    lines("Outbox: pending", "short", ["max by (service) (outbox_pending)", "{{service}}"]),
    lines("Published", "ops", [rate("messaging_published_total", "queue, outcome"), "{{queue}} {{outcome}}"]),
    lines("Time until confirmed, p95", "s", [q(0.95, "messaging_publish_duration_seconds", "queue"), "{{queue}}"]),
    lines("Processed", "ops", [rate("messaging_process_duration_seconds_count", "queue, outcome"), "{{queue}} {{outcome}}"]),
    lines("Duplicates", "ops", [rate("inbox_duplicates_total", "service"), "{{service}}"]),
    lines("Domain events: age of the oldest pending event", "s", ["max by (topic) (events_oldest_age_seconds)", "{{topic}}"]),
    lines("Domain events: pending", "short", ["max by (topic) (events_pending)", "{{topic}}"]),
    lines("Domain events: published", "ops", [rate("events_published_total", "topic"), "{{topic}}"]),
    lines("Domain events: dropped", "ops", [rate("events_dropped_total", "service, topic"), "{{service}} {{topic}}"]),
    lines("Consumer lag: unprocessed domain events", "short", ["sum by (service, topic) (events_consumer_lag)", "{{service}} {{topic}}"]),
    lines("Domain events: consumed", "ops", [rate("events_consumed_total", "service, topic"), "{{service}} {{topic}}"], [rate("events_malformed_total", "service, topic"), "{{service}} {{topic}}, malformed"]),
    lines("Notifications: processed events", "ops", [rate("notifications_events_total", "type, outcome"), "{{type}} {{outcome}}"]),
    lines("Mails: age of the oldest", "s", ["max(mails_oldest_age_seconds)", "unsent"]),
    lines("Mails: pending", "short", ["max(mails_pending)", "unsent"]),
  ]],
  resilience: ["Resilience", [
    lines("Breakers: 1 is open, 2 half-open", "short", ["max by (route, upstream) (gateway_breaker_state) > 0", "{{route}} → {{upstream}}"], ["max by (service, upstream) (breaker_state)", "{{service}} → {{upstream}}"]),
    lines("Openings of the gateway's breakers", "ops", [rate("gateway_breaker_opened_total", "route, upstream"), "{{route}} → {{upstream}}"]),
    lines("Retried requests", "ops", [rate("gateway_retries_total", "upstream"), "{{upstream}}"]),
    lines("Calls to upstreams: in flight and waiting", "short", ["sum by (upstream) (gateway_calls_in_flight)", "{{upstream}}"], ["sum by (upstream) (gateway_calls_queued) > 0", "{{upstream}}, waiting"]),
    lines("Calls refused because too many were in flight", "ops", [rate("gateway_calls_refused_total", "route, upstream"), "{{route}} → {{upstream}}"]),
    lines("Requests over a quota", "ops", [rate("gateway_rate_limited_total", "limit"), "{{limit}}"]),
    failures("Responses with 429, 502, 503, 504", "reqps", [rate(`${http}_count`, "http_response_status_code", 'service="gateway",http_response_status_code=~"429|502|503|504"'), "{{http_response_status_code}}"]),
    failures("Calls without a response", "ops", [rate("http_client_request_duration_seconds_count", "service, server_address", 'http_response_status_code=""'), "{{service}} → {{server_address}}"]),
    failures("Retried and dead-lettered messages", "ops", [rate("messaging_process_duration_seconds_count", "queue, outcome", 'outcome!="handled"'), "{{queue}} {{outcome}}"]),
  ]],
  databases: ["PostgreSQL and MongoDB", [
    lines("Calls", "ops", [rate("db_client_operation_duration_seconds_count", "service, db_operation_name", 'service="$service"'), "{{db_operation_name}}"]),
    lines("Duration, p95", "s", [q(0.95, "db_client_operation_duration_seconds", "db_operation_name, db_collection_name", 'service="$service"'), "{{db_operation_name}} {{db_collection_name}}"]),
    lines("Time spent (concurrent calls)", "short", [rate("db_client_operation_duration_seconds_sum", "db_operation_name, db_collection_name", 'service="$service"'), "{{db_operation_name}} {{db_collection_name}}"]),
    failures("Failed commands of MongoDB", "ops", [rate("db_client_operation_duration_seconds_count", "service", 'outcome="error"'), "{{service}}"]),
    lines("Wait time for a connection, p95", "s", [q(0.95, "db_client_connection_wait_time_seconds", "service"), "{{service}}"]),
    lines("Pools in use", "percentunit", ['sum by (service, pool) (db_client_connection_count{state="used"}) / sum by (service, pool) (db_client_connection_max)', "{{service}} {{pool}}"]),
  ], true],
  runtime: ["Runtime", [
    lines("Resident memory", "bytes", ["process_resident_memory_bytes", "{{service}} {{instance}}"]),
    lines("CPU cores in use", "short", [rate("process_cpu_seconds_total", "service"), "{{service}}"]),
    lines("Open files", "short", ["process_open_fds", "{{service}} {{instance}}"]),
    lines("Tasks", "short", ["tokio_alive_tasks", "{{service}} {{instance}}"]),
    lines("Tasks waiting for a worker", "short", ["tokio_global_queue_depth", "{{service}} of {{instance}}"]),
    lines("Spans", "ops", [rate("telemetry_spans_total", "service, outcome"), "{{service}} {{outcome}}"]),
  ]],
};

const options = {
  timeseries: {
    legend: { displayMode: "list", placement: "bottom", showLegend: true, calcs: [] },
    tooltip: { mode: "multi", sort: "desc" },
  },
  stat: { reduceOptions: { calcs: ["lastNotNull"] } },
  bargauge: { reduceOptions: { calcs: ["lastNotNull"] }, orientation: "horizontal", displayMode: "basic" },
};

/** Threshold steps in ascending order; the first has no lower bound. */
const steps = ({ from, below } = {}) => {
  if (from !== undefined) return [{ color: "green", value: null }, { color: "red", value: from }];
  if (below !== undefined) return [{ color: "red", value: null }, { color: "green", value: below }];
  return [{ color: "green", value: null }];
};

const link = (title, more) => ({
  title, icon: "external link", tooltip: "", tags: [], asDropdown: false, targetBlank: true, includeVars: false, keepTime: false, ...more,
});

function panel({ type, title, unit, red, noValue, targets }, traced, index, [x, y, w, h]) {
  return {
    id: index + 1,
    type,
    title,
    datasource: prometheus,
    gridPos: { x, y, w, h },
    fieldConfig: {
      defaults: {
        unit,
        thresholds: { mode: "absolute", steps: steps(red ?? {}) },
        ...(type !== "stat" && { min: 0 }),
        ...(type === "bargauge" && { decimals: 0 }),
        ...(noValue && { noValue }),
      },
      overrides: [],
    },
    options: options[type],
    targets: targets.map(([expr, legendFormat], at) => ({
      refId: "ABCDEF"[at],
      datasource: prometheus,
      expr,
      legendFormat,
      ...(type === "bargauge" && { instant: true, range: false }),
    })),
    links: [link("Traces in Jaeger", { type: "link", url: `\${jaeger:raw}/search?service=${traced}` })],
  };
}

for (const [uid, [title, panels, perService]] of Object.entries(dashboards)) {
  const stats = panels.filter((one) => one.type === "stat").length;
  let [x, y, tallest] = [0, 0, 0];
  const placed = panels.map((one, index) => {
    const [width, height] = one.type === "stat" ? [Math.min(6, Math.floor(24 / stats)), 4] : [12, 8];
    if (x + width > 24) [x, y, tallest] = [0, y + tallest, 0];
    const made = panel(one, perService ? "$service" : "gateway", index, [x, y, width, height]);
    [x, tallest] = [x + width, Math.max(tallest, height)];
    return made;
  });
  const service = {
    name: "service",
    type: "query",
    datasource: prometheus,
    query: { query: 'label_values(up{job="souk"}, service)', refId: "service" },
    current: { text: "orders", value: "orders" },
    refresh: 2,
  };
  const dashboard = {
    uid: `souk-${uid}`,
    title,
    tags: ["souk"],
    schemaVersion: 41,
    editable: false,
    refresh: "10s",
    time: { from: "now-1h", to: "now" },
    annotations: { list: [] },
    links: [link("Souk", { type: "dashboards", tags: ["souk"], asDropdown: true, targetBlank: false })],
    templating: {
      list: [
        ...(perService ? [service] : []),
        { name: "jaeger", type: "constant", query: "http://localhost:16686", hide: 2 },
      ],
    },
    panels: placed,
  };
  writeFileSync(new URL(`dashboards/${uid}.json`, import.meta.url), `${JSON.stringify(dashboard, null, 1)}\n`);
}
