import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Card } from "@/ui/card";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/states";

import { TableSkeleton } from "../list";
import { messages as common } from "../messages";
import { Status } from "../status";
import { Table } from "../table";
import { type ConfigState, useConfig } from "./api";
import { ApplyConfig } from "./applyConfig";
import { placeOf } from "./configError";
import { messages } from "./messages";

/** `/admin/gateway/configuration`: what is in force, the last attempts to change it, and a form to replace it. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const { data, error, refetch } = useConfig();
  return (
    <Page title={t.configuration} lead={t.configLead}>
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {data && (
        <>
          <Current state={data} />
          <ApplyConfig />
          <Attempts state={data} />
        </>
      )}
      {!data && !error && <TableSkeleton label={words.loading} />}
    </Page>
  );
}

function Current({ state: { current, last_attempts } }: { state: ConfigState }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <Card className="grid gap-4">
      <h2 className="text-xl font-semibold">{t.inForce}</h2>
      <dl className="grid gap-x-6 gap-y-3 sm:grid-cols-[auto_minmax(0,1fr)]">
        <dt className="text-sm text-muted">{t.digest}</dt>
        <dd>
          <code className="text-sm break-all">{current.digest}</code>
        </dd>
        <dt className="text-sm text-muted">{t.since}</dt>
        <dd>{format.moment(current.at)}</dd>
        <dt className="text-sm text-muted">{t.source}</dt>
        <dd>{t.sources[current.source]}</dd>
        <dt className="text-sm text-muted">{t.state}</dt>
        <dd>
          <Status of={last_attempts[0]?.error ? "refused" : "applied"} />
        </dd>
      </dl>
    </Card>
  );
}

function Attempts({ state }: { state: ConfigState }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <section className="grid gap-3">
      <h2 className="text-xl font-semibold">{t.attempts}</h2>
      <Table
        caption={t.attempts}
        rows={state.last_attempts}
        keyOf={({ at }) => at}
        columns={[
          {
            head: t.at,
            render: ({ at }) => (
              <span className="grid whitespace-nowrap">
                <span>{format.clock(at)}</span>
                <span className="text-xs text-muted">{format.day(at)}</span>
              </span>
            ),
          },
          { head: t.source, render: ({ source }) => t.sources[source] },
          { head: t.result, render: ({ error }) => <Status of={error ? "refused" : "applied"} /> },
          {
            head: t.detail,
            render: ({ digest, error }) =>
              error ? <Refusal error={error} /> : <code className="text-xs">{digest?.slice(0, 16)}</code>,
          },
        ]}
      />
    </section>
  );
}

/** Why a configuration was refused, with the position of the error if it has one. */
function Refusal({ error }: { error: string }) {
  const t = useMessages(messages);
  const place = placeOf(error);
  return (
    <span className="grid min-w-56 gap-0.5">
      {place && <span className="font-medium">{t.atPlace(place.line, place.column)}</span>}
      <span className="text-xs break-words text-muted">{place?.message ?? error}</span>
    </span>
  );
}
