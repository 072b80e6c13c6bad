import { useState } from "react";

import { useMessages } from "@/i18n";

import { IconButton } from "./button";
import { messages } from "./messages";

interface Props {
  /** What is counted, for those who cannot see it. */
  label: string;
  value: number;
  min?: number;
  max: number;
  onChange: (value: number) => void;
}

/** A whole number, by its buttons or typed. What is typed counts on Enter or when the field is left. */
export function Stepper({ label, value, min = 1, max, onChange }: Props) {
  const t = useMessages(messages);
  const [typed, setTyped] = useState<string>();
  const take = (next: number) => {
    setTyped(undefined);
    const allowed = Math.min(Math.max(next, min), Math.max(max, min));
    if (allowed !== value) onChange(allowed);
  };
  const takeTyped = () => {
    if (typed !== undefined) take(/^\d+$/.test(typed) ? Number(typed) : value);
  };
  return (
    <div role="group" aria-label={label} className="inline-flex w-fit items-center rounded-lg border border-edge bg-surface">
      <IconButton label={t.fewer} aria-disabled={value <= min} onClick={() => take(value - 1)} className="aria-disabled:opacity-40">
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
        onBlur={takeTyped}
        onKeyDown={(event) => {
          if (event.key === "Enter") takeTyped();
          if (event.key === "ArrowUp") take(value + 1);
          if (event.key === "ArrowDown") take(value - 1);
        }}
        className="num min-h-10 w-10 bg-transparent text-center text-sm font-semibold"
      />
      <IconButton label={t.oneMore} aria-disabled={value >= max} onClick={() => take(value + 1)} className="aria-disabled:opacity-40">
        <span aria-hidden>+</span>
      </IconButton>
    </div>
  );
}
