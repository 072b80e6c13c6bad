import { Link } from "react-router";

import { useMessages } from "@/i18n";
import { classes } from "@/ui/classes";

import type { Draft } from "./draft";
import { messages } from "./messages";
import { isAccessible, type Step, STEPS } from "./stepOf";

/** The progress indicator, with links to the accessible steps. */
export function Steps({ current, draft }: { current: Step; draft: Draft }) {
  const t = useMessages(messages);
  const position = STEPS.indexOf(current);
  return (
    <nav aria-label={t.steps}>
      <ol className="grid grid-cols-3 gap-2 sm:gap-3">
        {STEPS.map((step, index) => {
          const isDone = index < position;
          const look = classes(
            "flex items-center gap-2 border-t-4 pt-2 text-sm",
            index <= position ? "border-accent" : "border-line text-muted",
            step === current && "font-semibold",
          );
          const text = (
            <>
              <span aria-hidden className="num">
                {isDone ? "✓" : index + 1}
              </span>
              {t.stepNames[step]}
              {isDone && <span className="sr-only">, {t.done}</span>}
            </>
          );
          return (
            <li key={step}>
              {step !== current && isAccessible(step, draft) ? (
                <Link to={`?step=${step}`} className={classes(look, "underline-offset-4 hover:underline")}>
                  {text}
                </Link>
              ) : (
                <span className={look} aria-current={step === current ? "step" : undefined}>
                  {text}
                </span>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
