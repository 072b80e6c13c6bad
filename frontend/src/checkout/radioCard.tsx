import type { ReactNode } from "react";

import { classes } from "@/ui/classes";

interface Props {
  name: string;
  isChosen: boolean;
  onChoose: () => void;
  children: ReactNode;
}

/** A radio button in the form of a card. */
export function RadioCard({ name, isChosen, onChoose, children }: Props) {
  return (
    <label
      className={classes(
        "flex cursor-pointer items-start gap-3 rounded-xl border p-4 transition-colors",
        isChosen ? "border-accent bg-accent-soft ring-1 ring-accent" : "border-edge bg-surface hover:bg-raised",
      )}
    >
      <input type="radio" name={name} checked={isChosen} onChange={onChoose} className="mt-1 size-4 shrink-0 accent-accent" />
      <span className="grid flex-1 gap-0.5">{children}</span>
    </label>
  );
}
