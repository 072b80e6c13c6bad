import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";

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

function initial(): Locale {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "de") return stored;
  return navigator.languages.some((language) => language.startsWith("de")) &&
    !navigator.languages[0]?.startsWith("en")
    ? "de"
    : "en";
}

export function I18nProvider({ children }: { children: ReactNode }) {
  const [locale, setLocale] = useState(initial);
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
  const value = useMemo(
    () => ({
      locale,
      setLocale: (next: Locale) => {
        localStorage.setItem(STORED, next);
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
