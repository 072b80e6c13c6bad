import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { classes } from "@/ui/classes";
import { announce } from "@/ui/live";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/states";

import { type AuditReport, type Invariant, useAudit } from "../api";
import { TableSkeleton } from "../list";
import { messages as common } from "../messages";
import { GERMAN } from "./invariantTexts";
import { messages } from "./messages";

/** `/admin/audit`: the results of checking the invariants across all databases. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const { data, error, isFetching, refetch } = useAudit();
  const verdict = ({ clean, invariants }: AuditReport) => {
    if (!clean) return t.broken(invariants.filter(({ violated }) => violated > 0).length);
    return invariants.some(({ skipped }) => skipped) ? t.cleanInPart : t.clean;
  };
  const recheck = async () => {
    const next = await refetch();
    if (next.data) announce(verdict(next.data));
  };
  return (
    <Page
      title={t.audit}
      lead={t.auditLead}
      actions={
        <Button look="primary" busy={isFetching} onClick={() => void recheck()}>
          {t.again}
        </Button>
      }
    >
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {data && <Report report={data} verdict={verdict(data)} />}
      {!data && !error && <TableSkeleton label={words.loading} rows={12} />}
    </Page>
  );
}

function Report({ report, verdict }: { report: AuditReport; verdict: string }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <>
      <div
        className={classes("rounded-2xl p-5", report.clean ? "bg-leaf-soft text-leaf" : "bg-clay-soft text-clay")}
      >
        <p className="font-display text-xl font-semibold">
          <span aria-hidden>{report.clean ? "✓ " : "✕ "}</span>
          {verdict}
        </p>
        <p className="num text-sm">{t.checkedAt(format.clock(report.checked_at), format.duration(report.duration_ms))}</p>
      </div>
      <ul className="divide-y divide-line overflow-hidden rounded-2xl border border-line bg-surface">
        {/* Violated invariants first. */}
        {report.invariants
          .toSorted((a, b) => Number(b.violated > 0) - Number(a.violated > 0))
          .map((invariant) => (
            <Line key={invariant.name} invariant={invariant} />
          ))}
      </ul>
    </>
  );
}

function Line({ invariant }: { invariant: Invariant }) {
  const t = useMessages(messages);
  const format = useFormat();
  const { name, title, checked, violated, violations, skipped } = invariant;
  const text = (format.locale === "de" && GERMAN[name]) || title;
  return (
    <li className="grid gap-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        {skipped ? (
          <Badge tone="neutral">{t.notChecked}</Badge>
        ) : violated === 0 ? (
          <Badge tone="good">{t.holds}</Badge>
        ) : (
          <Badge tone="bad">{t.violated(format.number(violated))}</Badge>
        )}
        <span className="min-w-0 flex-1 basis-60">
          <span className="inline-block first-letter:uppercase">{text}</span> <code className="text-xs text-muted">{name}</code>
        </span>
        <span className="num text-sm text-muted">{skipped ?? t.checked(format.number(checked))}</span>
      </div>
      {violations.length > 0 && (
        <ul className="list-disc pl-6 text-sm break-words text-clay">
          {violations.map((violation) => (
            <li key={violation}>{violation}</li>
          ))}
          {violated > violations.length && <li>{t.andMore(violated - violations.length)}</li>}
        </ul>
      )}
    </li>
  );
}
