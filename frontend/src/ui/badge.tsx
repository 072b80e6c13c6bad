import type { ReactNode } from "react";

import { classes } from "./classes";

/** The meaning of a badge: finished, in progress, failed or undone, for information, or without judgement. */
export type Tone = "good" | "waiting" | "bad" | "info" | "neutral";

const tones: Record<Tone, string> = {
  good: "bg-leaf-soft text-leaf",
  waiting: "bg-saffron-soft text-saffron",
  bad: "bg-clay-soft text-clay",
  info: "bg-sky-soft text-sky",
  neutral: "bg-raised text-muted",
};
/** Each tone also has a symbol, because colour alone must not carry meaning (WCAG 1.4.1). */
const signs: Record<Tone, string> = { good: "✓", waiting: "◔", bad: "✕", info: "→", neutral: "·" };

/** A short label with a symbol; `sign` replaces the symbol of the tone. */
export function Badge({ tone, sign, children }: { tone: Tone; sign?: string; children: ReactNode }) {
  return (
    <span
      className={classes(
        "inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-semibold whitespace-nowrap",
        tones[tone],
      )}
    >
      <span aria-hidden>{sign ?? signs[tone]}</span>
      {children}
    </span>
  );
}
