import { useState } from "react";

import { useMessages } from "@/i18n";

import { messages } from "./messages";
import { useFigures } from "./useFigures";

/** Number of rates that are shown; at one every two seconds, they cover two minutes. */
const KEPT = 60;
const WIDTH = 600;
const HEIGHT = 64;

/** The total rate while the page is open, as a line. */
export function RateHistory({ rate, at }: { rate: number; at: number }) {
  const t = useMessages(messages);
  const figures = useFigures();
  const [samples, setSamples] = useState<readonly { at: number; rate: number }[]>([]);
  if (samples.at(-1)?.at !== at) setSamples([...samples.slice(1 - KEPT), { at, rate }]);
  const rates = samples.length > 0 ? samples.map((sample) => sample.rate) : [rate];
  const most = Math.max(...rates, 1);
  const points = rates.map((value, index) => {
    const x = WIDTH - (rates.length - 1 - index) * (WIDTH / (KEPT - 1));
    return `${x.toFixed(1)},${(HEIGHT - (value / most) * (HEIGHT - 4) - 2).toFixed(1)}`;
  });
  return (
    <figure className="grid gap-1 rounded-2xl border border-line bg-surface px-4 pt-3 pb-1">
      <figcaption className="flex flex-wrap justify-between gap-x-4 text-sm">
        <span>{t.history}</span>
        <span className="num text-muted">{t.historyText(figures.rate(Math.min(...rates)), figures.rate(Math.max(...rates)))}</span>
      </figcaption>
      <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="h-16 w-full text-accent">
        <polyline points={points.join(" ")} fill="none" stroke="currentColor" strokeWidth="2" vectorEffect="non-scaling-stroke" />
      </svg>
    </figure>
  );
}
