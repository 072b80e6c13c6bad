import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";

import { Id } from "../id";
import { Status } from "../status";
import { Table } from "../table";
import type { Saga } from "./actions";
import { messages } from "./messages";

type Step = Saga["steps"][number];

/** A table of all steps of a saga, forward and compensating. */
export function Timeline({ saga }: { saga: Saga }) {
  const t = useMessages(messages);
  const format = useFormat();
  return (
    <Table
      caption={t.timeline}
      rows={saga.steps}
      keyOf={({ name, direction }: Step) => `${direction} ${name}`}
      columns={[
        {
          head: t.step,
          render: (step) => (
            <span className="whitespace-nowrap">
              <code className="text-xs">{step.name}</code>
              {step.pivot && (
                <span className="ml-2 text-accent" role="img" aria-label={t.pivot} title={t.pivot}>
                  ◆
                </span>
              )}
            </span>
          ),
        },
        { head: t.directionHead, render: ({ direction }) => t.direction[direction === "undo" ? "undo" : "do"] },
        { head: t.service, render: ({ service }) => service },
        {
          head: t.state,
          // A future step is not highlighted as waiting.
          render: ({ state }) => <Status of={state} tone={state === "pending" ? "neutral" : undefined} />,
        },
        { head: t.attempts, isNumber: true, render: ({ attempts }) => attempts || "–" },
        {
          head: t.duration,
          isNumber: true,
          render: ({ started_at, finished_at }) =>
            started_at && finished_at ? format.duration(Date.parse(finished_at) - Date.parse(started_at)) : "–",
        },
        {
          head: t.why,
          render: ({ reason, detail }) =>
            reason && (
              <span className="grid min-w-56 gap-0.5 break-words">
                <span>{reason}</span>
                {detail && <span className="text-xs text-muted">{detail}</span>}
              </span>
            ),
        },
        { head: t.actor, render: ({ actor }) => (actor ? <Id id={actor} /> : <span className="text-muted">–</span>) },
      ]}
    />
  );
}
