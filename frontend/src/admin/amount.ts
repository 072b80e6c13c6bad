import type { Locale } from "@/i18n";
import { decimals, type Money, parseAmount } from "@/i18n/format";
import { z } from "@/ui/zod";

/** Formats an amount for an input field: 1250 cents are `12.50`, or `12,50` in German. */
export function amountText({ amount, currency }: Money, locale: Locale): string {
  const places = decimals(currency);
  return new Intl.NumberFormat(locale, {
    useGrouping: false,
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  }).format(amount / 10 ** places);
}

/** Parses a typed amount into minor units; it must be greater than 0 and at most `most`. */
export function amountSchema(currency: string, t: { noAmount: string; tooMuch?: string }, most = Infinity) {
  return z.string().transform((text, context) => {
    const amount = parseAmount(text, currency);
    if (amount === undefined || amount === 0) {
      context.addIssue({ code: "custom", message: t.noAmount });
      return z.NEVER;
    }
    if (amount > most) {
      context.addIssue({ code: "custom", message: t.tooMuch ?? t.noAmount });
      return z.NEVER;
    }
    return amount;
  });
}
