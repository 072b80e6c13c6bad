import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, call, type Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Button } from "@/ui/button";
import { ReasonDialog } from "@/ui/formDialog";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";

import { Id } from "../id";
import { ListTable, usePages } from "../list";
import { messages as common } from "../messages";
import { messages } from "./messages";

type Letter = Schemas["DeadLetter"];

/** `/admin/dead-letters`: dead-lettered messages, with actions to redrive or delete them. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const format = useFormat();
  const queries = useQueryClient();
  const [open, setOpen] = useState<{ kind: "redrive" | "remove"; letter: Letter }>();
  const pages = usePages(
    ["admin", "dead-letters"],
    (query, signal) => call(api.GET("/v1/admin/dead-letters", { params: { query }, signal })),
    10_000,
  );
  const act = async (reason: string) => {
    if (!open) return;
    const path = { id: open.letter.id };
    await (open.kind === "redrive"
      ? call(api.POST("/v1/admin/dead-letters/{id}/redrive", { params: { path }, body: { reason } }))
      : call(api.DELETE("/v1/admin/dead-letters/{id}", { params: { path, query: { reason } } })));
    await queries.invalidateQueries({ queryKey: ["admin"] });
  };
  return (
    <Page title={t.deadLetters} lead={t.deadLettersLead}>
      <ListTable
        caption={t.deadLetters}
        pages={pages}
        keyOf={({ id }) => id}
        columns={[
          {
            head: t.message,
            render: (letter) => (
              <span className="grid gap-0.5">
                <code className="text-xs font-semibold">{letter.kind}</code>
                <code className="text-xs text-muted">{letter.queue}</code>
                <Id id={letter.message_id} />
              </span>
            ),
          },
          { head: words.saga, render: ({ saga_id }) => <Id id={saga_id} to={`/admin/sagas/${saga_id}`} /> },
          {
            head: words.reason,
            render: ({ reason, body }) => (
              <div className="grid min-w-56 gap-1">
                {reason}
                <details>
                  <summary className="text-xs text-accent">{t.showBody}</summary>
                  <pre className="mt-1 max-w-xs rounded-lg bg-raised p-2 text-xs break-words whitespace-pre-wrap">{pretty(body)}</pre>
                </details>
              </div>
            ),
          },
          {
            head: t.died,
            render: ({ died_at, attempts }) => (
              <span className="grid whitespace-nowrap">
                {format.moment(died_at)}
                <span className="text-xs text-muted">{t.afterAttempts(attempts)}</span>
              </span>
            ),
          },
          {
            head: words.actions,
            render: (letter) => (
              <div className="flex gap-2">
                <Button onClick={() => setOpen({ kind: "redrive", letter })}>{t.redrive}</Button>
                <Button look="danger" onClick={() => setOpen({ kind: "remove", letter })}>
                  {t.remove}
                </Button>
              </div>
            ),
          },
        ]}
        empty={<Empty title={t.noLetters}>{t.noLettersText}</Empty>}
      />
      {open && (
        <ReasonDialog
          title={`${t[open.kind]}: ${open.letter.kind}`}
          description={open.kind === "redrive" ? t.redriveText : t.removeText}
          submit={t[open.kind]}
          look={open.kind === "redrive" ? "primary" : "danger"}
          done={open.kind === "redrive" ? t.redriven : t.removed}
          onClose={() => setOpen(undefined)}
          act={act}
        />
      )}
    </Page>
  );
}

/** Formats JSON; returns any other text unchanged. */
function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
