import { useMemo } from "react";

import { useFormat } from "@/i18n/format";

/** Returns functions that format rates and latencies for the current language. */
export function useFigures() {
  const format = useFormat();
  return useMemo(
    () => ({
      /** Requests per second: with two decimals below 1, otherwise with one. */
      rate: (perSecond: number) => format.number(perSecond < 1 ? round(perSecond, 2) : round(perSecond, 1)),
      /** A time in milliseconds: with one decimal below 10 ms. */
      latency: (milliseconds: number | null | undefined) =>
        milliseconds == null
          ? "–"
          : milliseconds < 10
            ? `${format.number(round(milliseconds, 1))} ms`
            : format.duration(milliseconds),
    }),
    [format],
  );
}

function round(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}
