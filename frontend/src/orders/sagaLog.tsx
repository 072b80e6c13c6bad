import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";

import { nameOf } from "./describeSaga";
import type { Change } from "./events";
import { messages } from "./messages";

/** All events of the order, oldest first, with the time since the first one. */
export function SagaLog({ changes }: { changes: readonly Change[] }) {
  const t = useMessages(messages);
  const format = useFormat();
  const start = changes[0]?.at;
  if (!start) return null;
  return (
    <details className="group rounded-2xl border border-line bg-surface">
      <summary className="flex items-center justify-between gap-4 rounded-2xl px-5 py-3.5 font-semibold hover:bg-raised">
        <span>
          {t.log} <span className="num font-normal text-muted">({changes.length})</span>
        </span>
        <span aria-hidden className="text-muted transition-transform group-open:rotate-180">
          ⌄
        </span>
      </summary>
      <ol className="grid gap-1.5 px-5 pb-5 text-sm">
        {changes.map(({ id, at, type, data }) => (
          <li key={id} className="grid grid-cols-[5.5rem_1fr] gap-x-3 sm:grid-cols-[5.5rem_6.5rem_1fr]">
            <time dateTime={at} className="num text-muted">
              {format.clock(at)}
            </time>
            <span className="num hidden text-muted sm:block">+{format.duration(Date.parse(at) - Date.parse(start))}</span>
            <span>
              {t.events[type] ?? type}
              {data.step && (
                <span className="text-muted">
                  {" "}
                  · {nameOf({ name: data.step, direction: data.direction ?? "do" }, format.locale)}
                  {data.outcome && ` · ${t.outcomes[data.outcome] ?? data.outcome}`}
                </span>
              )}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}
