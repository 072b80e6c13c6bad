import type { Draft } from "./draft";

export const STEPS = ["address", "payment", "review"] as const;
export type Step = (typeof STEPS)[number];

/** The steps that can be gone to: each needs what the ones before it ask for. */
export function isOpen(step: Step, { address, payment }: Draft): boolean {
  return step === "address" || (address !== undefined && (step === "payment" || payment !== undefined));
}

/** The step that the address asks for, or else the last that is open before it. */
export function stepOf(asked: string | null, draft: Draft): Step {
  const step = STEPS.find((known) => known === asked);
  if (step && isOpen(step, draft)) return step;
  // One that has no answer yet comes before a new one.
  if (!step) return draft.attempt ? "review" : "address";
  return STEPS.findLast((known) => isOpen(known, draft)) ?? "address";
}
