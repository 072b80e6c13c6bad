import { useMessages } from "@/i18n";
import { notify } from "@/ui/live";

import { messages } from "./messages";

/** A button that shows `shown` and copies the whole `text`. */
export function Copy({ text, label, shown }: { text: string; label: string; shown: string }) {
  const t = useMessages(messages);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      notify(t.copied(label));
    } catch {
      notify(text);
    }
  };
  return (
    <button
      type="button"
      onClick={() => void copy()}
      aria-label={t.copy(label, text)}
      title={text}
      className="inline-flex min-h-6 items-center gap-1 rounded font-mono text-xs text-muted hover:text-ink hover:underline"
    >
      {shown}
      <svg aria-hidden viewBox="0 0 16 16" className="size-3 fill-none stroke-current stroke-[1.5]">
        <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
        <path d="M10.5 2.5h-6a2 2 0 0 0-2 2v6" />
      </svg>
    </button>
  );
}
