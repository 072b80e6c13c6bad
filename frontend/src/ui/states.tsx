import type { ReactNode } from "react";

import { useLocale, useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { messageFor } from "@/problem/texts";

import { Button } from "./button";
import { messages } from "./messages";

/** An empty state: what is missing, and an action to change that. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-3 rounded-2xl border border-dashed border-line px-6 py-12 text-center">
      <p className="font-display text-xl">{title}</p>
      {children && <p className="max-w-prose text-muted">{children}</p>}
      {action}
    </div>
  );
}

/** An error: the reason, the trace id to search for, and a retry button if `onRetry` is given. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const t = useMessages(messages);
  const { locale } = useLocale();
  const problem = error instanceof Problem ? error : undefined;
  return (
    <div role="alert" className="grid gap-2 rounded-2xl border border-clay/40 bg-clay-soft p-5 text-ink">
      <p className="font-semibold first-letter:uppercase">{messageFor(error, locale)}</p>
      {problem?.errors.map(({ pointer, detail }) => (
        <p key={pointer + detail} className="text-sm">
          <code>{pointer}</code> {detail}
        </p>
      ))}
      {problem?.traceId && (
        <p className="text-sm text-muted">
          {t.trace} <code className="break-all">{problem.traceId}</code>
        </p>
      )}
      {onRetry && (
        <div>
          <Button onClick={onRetry}>{t.tryAgain}</Button>
        </div>
      )}
    </div>
  );
}
