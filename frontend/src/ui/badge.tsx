import type { ReactNode } from "react";

import { classes } from "./classes";

/** What a colour means everywhere: done, under way or waiting, undone or wrong, a plain fact. */
export type Tone = "good" | "waiting" | "bad" | "info" | "neutral";

const tones: Record<Tone, string> = {
  good: "bg-leaf-soft text-leaf",
  waiting: "bg-saffron-soft text-saffron",
  bad: "bg-clay-soft text-clay",
  info: "bg-sky-soft text-sky",
  neutral: "bg-raised text-muted",
};
/** Never by colour alone. */
const signs: Record<Tone, string> = { good: "✓", waiting: "◔", bad: "✕", info: "→", neutral: "·" };

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
