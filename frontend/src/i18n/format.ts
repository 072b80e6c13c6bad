import { useMemo } from "react";

import { type Locale, useLocale } from ".";

/** An amount in minor units (such as cents) with its ISO 4217 currency code, as in the API. */
export interface Money {
  amount: number;
  currency: string;
}

/** Returns the number of decimals of an ISO 4217 currency: 2 for EUR, 0 for JPY. */
export function decimals(currency: string): number {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** Formats an amount with its currency symbol. */
export function formatMoney({ amount, currency }: Money, locale: Locale): string {
  return new Intl.NumberFormat(locale, { style: "currency", currency }).format(amount / 10 ** decimals(currency));
}

/** Parses a typed amount into minor units; returns `undefined` if it is invalid. Both `.` and `,` are decimal separators. */
export function parseAmount(text: string, currency: string): number | undefined {
  const match = /^\s*(\d+)(?:[.,](\d+))?\s*$/.exec(text);
  const places = decimals(currency);
  if (!match || (match[2]?.length ?? 0) > places) return undefined;
  const amount = Number(`${match[1] ?? ""}${(match[2] ?? "").padEnd(places, "0")}`);
  return Number.isSafeInteger(amount) ? amount : undefined;
}

/** Formats a duration with a suitable unit: `420 ms`, `1.2 sec`, `3 min`, `5 hr`, `2 days`. */
export function formatDuration(milliseconds: number, locale: Locale): string {
  const whole = Math.round(milliseconds);
  const tenths = Math.round(milliseconds / 100);
  const [value, unit] =
    whole < 1000
      ? ([whole, "millisecond"] as const)
      : tenths < 600
        ? ([tenths / 10, "second"] as const)
        : milliseconds < 3_600_000
          ? ([Math.round(milliseconds / 60_000), "minute"] as const)
          : milliseconds < 172_800_000
            ? ([Math.round(milliseconds / 3_600_000), "hour"] as const)
            : ([Math.round(milliseconds / 86_400_000), "day"] as const);
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(value);
}

/** Returns functions that format money, times and numbers for the current language. */
export function useFormat() {
  const { locale } = useLocale();
  return useMemo(() => {
    const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
    const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
    const clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
    const number = new Intl.NumberFormat(locale);
    const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
    return {
      locale,
      money: (money: Money) => formatMoney(money, locale),
      day: (time: string) => day.format(new Date(time)),
      moment: (time: string) => moment.format(new Date(time)),
      clock: (time: string) => clock.format(new Date(time)),
      number: (value: number) => number.format(value),
      percent: (value: number) => percent.format(value),
      duration: (milliseconds: number) => formatDuration(milliseconds, locale),
    };
  }, [locale]);
}
