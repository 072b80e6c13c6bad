import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";

import { keep, recall } from "@/session/browser";

/** The languages of the shop. Prices and dates follow them too. */
export const LOCALES = { en: "English", de: "Deutsch" } as const;
export type Locale = keyof typeof LOCALES;

const STORED = "souk.locale";

/** The texts of one part of the shop, in every language; the German ones have the English ones' shape. */
export type Messages<T> = Record<Locale, T>;

/** Text stays next to the pages that show it: one such table a folder. */
export function defineMessages<T>(messages: { en: T; de: NoInfer<T> }): Messages<T> {
  return messages;
}

interface I18n {
  readonly locale: Locale;
  readonly setLocale: (locale: Locale) => void;
}

const Context = createContext<I18n>({ locale: "en", setLocale: () => undefined });

/** What the reader chose since the page was loaded, which the browser may not have kept. */
let chosen: Locale | undefined;

/** What the reader chose, or the first of the browser's languages that the shop speaks. */
export function preferredLocale(): Locale {
  if (chosen) return chosen;
  const spoken = [recall(STORED), ...navigator.languages].map((language) => language?.split("-")[0]?.toLowerCase());
  return spoken.find((language): language is Locale => language === "en" || language === "de") ?? "en";
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [locale, setLocale] = useState(preferredLocale);
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
  const value = useMemo(
    () => ({
      locale,
      setLocale: (next: Locale) => {
        chosen = next;
        keep(STORED, next);
        setLocale(next);
      },
    }),
    [locale],
  );
  return <Context value={value}>{children}</Context>;
}

export function useLocale(): I18n {
  return use(Context);
}

/** This part's texts in the reader's language. */
export function useMessages<T>(messages: Messages<T>): T {
  return messages[use(Context).locale];
}
