import { api, call, type Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { ButtonLink } from "@/ui/button";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";

import { Id } from "../id";
import { ListTable, usePages } from "../list";
import { messages as common } from "../messages";
import { Status } from "../status";
import { StatusFilter, useStatus } from "../statusFilter";
import type { Column } from "../table";
import { useNow } from "../useNow";
import { hasEnded } from "./actions";
import { messages } from "./messages";

type Summary = Schemas["SagaSummary"];
type SagaStatus = Schemas["SagaStatus"];
const STATUSES: SagaStatus[] = ["parked", "running", "compensating", "completed", "compensated"];

function useSagas(status: SagaStatus | undefined) {
  return usePages(
    ["admin", "sagas", status ?? "all"],
    (cursor, signal) =>
      call(api.GET("/v1/admin/sagas", { params: { query: { ...(status ? { status } : {}), ...cursor } }, signal })),
    5_000,
  );
}

/** `/admin/sagas`: all sagas. Parked ones, which need an operator, are listed first. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const status = useStatus(STATUSES);
  const pages = useSagas(status);
  const parked = useSagas("parked");
  const table = { keyOf: ({ id }: Summary) => id, columns: useColumns() };
  return (
    <Page
      title={t.sagas}
      lead={t.sagasLead}
      actions={<StatusFilter known={STATUSES} />}
    >
      {!status && parked.rows.length > 0 && (
        <section className="grid gap-3">
          <h2 className="text-xl font-semibold">{t.parked}</h2>
          <ListTable {...table} caption={t.parked} pages={parked} empty={null} />
        </section>
      )}
      <section className="grid gap-3">
        {!status && parked.rows.length > 0 && <h2 className="text-xl font-semibold">{t.everything}</h2>}
        <ListTable
          {...table}
          caption={status ? words.statuses[status] : t.everything}
          pages={pages}
          empty={
            <Empty title={t.noSagas} action={status && <ButtonLink to="/admin/sagas">{words.showAll}</ButtonLink>}>
              {status && t.noSagasText}
            </Empty>
          }
        />
      </section>
    </Page>
  );
}

function useColumns(): Column<Summary>[] {
  const t = useMessages(messages);
  const words = useMessages(common);
  const format = useFormat();
  const now = useNow(5_000);
  return [
    {
      head: words.saga,
      render: (saga) => (
        <span className="grid">
          <Id id={saga.id} to={`/admin/sagas/${saga.id}`} />
          <span className="text-xs text-muted">{definitionOf(t.definition, saga.definition)}</span>
        </span>
      ),
    },
    { head: words.status, render: ({ status }) => <Status of={status} /> },
    {
      head: t.step,
      render: (saga) => (
        <span className="whitespace-nowrap">
          <code className="text-xs">{saga.step}</code>{" "}
          {saga.direction === "undo" && <span className="text-xs text-muted">({t.direction.undo})</span>}
        </span>
      ),
    },
    { head: t.attempts, isNumber: true, render: (saga) => (hasEnded(saga) ? "–" : saga.attempts) },
    { head: t.began, render: ({ created_at }) => <span className="whitespace-nowrap">{format.moment(created_at)}</span> },
    {
      head: t.age,
      isNumber: true,
      render: (saga) => {
        const until = hasEnded(saga) ? Date.parse(saga.updated_at) : now;
        return format.duration(Math.max(0, until - Date.parse(saga.created_at)));
      },
    },
    {
      head: t.lastError,
      render: ({ parked_reason, last_error }) => (
        <code className="block min-w-40 text-xs break-words text-muted">{parked_reason ?? last_error}</code>
      ),
    },
  ];
}

/** Returns the name of a saga definition, or its technical name if there is no text for it. */
export function definitionOf(words: Record<string, string>, definition: string): string {
  return words[definition] ?? definition;
}
