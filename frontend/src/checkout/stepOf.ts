import type { Draft } from "./draft";

/** The steps of the checkout, in order. */
export const STEPS = ["address", "payment", "review"] as const;
/** A step of the checkout. */
export type Step = (typeof STEPS)[number];

/** Whether a step is accessible, which requires that the previous steps are completed. */
export function isAccessible(step: Step, { address, payment }: Draft): boolean {
  return step === "address" || (address !== undefined && (step === "payment" || payment !== undefined));
}

/** Returns the requested step, or the last accessible one if the request is not accessible. */
export function stepOf(requested: string | null, draft: Draft): Step {
  const step = STEPS.find((known) => known === requested);
  if (step && isAccessible(step, draft)) return step;
  // A pending attempt must be settled before a new order.
  if (!step) return draft.attempt ? "review" : "address";
  return STEPS.findLast((known) => isAccessible(known, draft)) ?? "address";
}
