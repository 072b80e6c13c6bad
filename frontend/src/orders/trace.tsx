import { useQuery } from "@tanstack/react-query";

import { useMessages } from "@/i18n";
import { messages as sharedMessages } from "@/ui/messages";

import { Copy } from "./copy";
import { messages } from "./messages";

/** The content of `/settings.json`, which `cargo xtask up` rewrites if Jaeger uses another port. */
interface Settings {
  jaeger_port: number;
}

/** Jaeger's port if the settings cannot be loaded. */
const DEFAULT_PORT = 16686;

const settingsQuery = {
  queryKey: ["settings"],
  queryFn: async (): Promise<Settings> => {
    const response = await fetch("/settings.json");
    if (!response.ok) throw new Error(`settings.json: ${response.status}`);
    return response.json();
  },
  staleTime: Number.POSITIVE_INFINITY,
};

/** A link to the trace of this checkout. The page cannot check whether Jaeger is running, so a hint explains when it is. */
export function Trace({ id }: { id: string }) {
  const t = useMessages(messages);
  const shared = useMessages(sharedMessages);
  const settings = useQuery(settingsQuery);
  const port = settings.data?.jaeger_port ?? DEFAULT_PORT;
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
