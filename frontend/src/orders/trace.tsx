import { useQuery } from "@tanstack/react-query";

import { useMessages } from "@/i18n";
import { messages as sharedMessages } from "@/ui/messages";

import { Copy } from "./copy";
import { messages } from "./messages";

/** `/settings.json`, which `cargo xtask up` writes anew where Jaeger has another port. */
interface Settings {
  jaeger_port: number;
}

/** Where Jaeger usually is. */
const USUAL_PORT = 16686;

const settingsQuery = {
  queryKey: ["settings"],
  queryFn: async (): Promise<Settings> => {
    const answer = await fetch("/settings.json");
    if (!answer.ok) throw new Error(`settings.json: ${answer.status}`);
    return answer.json();
  },
  staleTime: Number.POSITIVE_INFINITY,
};

/** The way to this very checkout in the traces. Nobody can tell from here whether Jaeger runs, so the hint says when it does. */
export function Trace({ id }: { id: string }) {
  const t = useMessages(messages);
  const shared = useMessages(sharedMessages);
  const settings = useQuery(settingsQuery);
  const port = settings.data?.jaeger_port ?? USUAL_PORT;
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
      <a
        href={`http://${window.location.hostname}:${port}/trace/${id}`}
        target="_blank"
        rel="noreferrer"
        className="inline-flex min-h-10 items-center gap-2 rounded-lg border border-edge bg-surface px-4 py-2 text-sm font-semibold hover:bg-raised"
      >
        {t.jaeger}
        <span aria-hidden>↗</span>
        <span className="sr-only">{shared.newTab}</span>
      </a>
      <p className="text-sm text-muted">{t.jaegerHint}</p>
      <span className="flex items-center gap-2 text-sm text-muted">
        {t.traceId}
        <Copy text={id} label={t.traceId} shown={id} />
      </span>
    </div>
  );
}
