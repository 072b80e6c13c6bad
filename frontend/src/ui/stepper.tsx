import { useState } from "react";

import { useMessages } from "@/i18n";

import { IconButton } from "./button";
import { messages } from "./messages";

interface Props {
  /** The accessible name of the number. */
  label: string;
  value: number;
  min?: number;
  max: number;
  onChange: (value: number) => void;
}

/** A field for a whole number with buttons. Typed text is applied on Enter and on blur. */
export function Stepper({ label, value, min = 1, max, onChange }: Props) {
  const t = useMessages(messages);
  const [typed, setTyped] = useState<string>();
  const apply = (next: number) => {
    setTyped(undefined);
    const allowed = Math.min(Math.max(next, min), Math.max(max, min));
    if (allowed !== value) onChange(allowed);
  };
  const applyTyped = () => {
    if (typed !== undefined) apply(/^\d+$/.test(typed) ? Number(typed) : value);
  };
  return (
    <div role="group" aria-label={label} className="inline-flex w-fit items-center rounded-lg border border-edge bg-surface">
      <IconButton label={t.decrease} aria-disabled={value <= min} onClick={() => apply(value - 1)} className="aria-disabled:opacity-40">
        <span aria-hidden>−</span>
      </IconButton>
      <input
        role="spinbutton"
        aria-label={label}
        aria-valuenow={value}
        aria-valuemin={min}
        aria-valuemax={max}
        inputMode="numeric"
        autoComplete="off"
        value={typed ?? value}
        onChange={(event) => setTyped(event.target.value)}
        onFocus={(event) => event.target.select()}
        onBlur={applyTyped}
        onKeyDown={(event) => {
          if (event.key === "Enter") applyTyped();
          if (event.key === "ArrowUp") apply(value + 1);
          if (event.key === "ArrowDown") apply(value - 1);
        }}
        className="num min-h-10 w-10 bg-transparent text-center text-sm font-semibold"
      />
      <IconButton label={t.increase} aria-disabled={value >= max} onClick={() => apply(value + 1)} className="aria-disabled:opacity-40">
        <span aria-hidden>+</span>
      </IconButton>
    </div>
  );
}
