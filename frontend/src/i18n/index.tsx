import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";

import { readStored, writeStored } from "@/browser";

/** The languages of the shop. They also determine the format of prices and dates. */
export const LOCALES = { en: "English", de: "Deutsch" } as const;
/** A supported language, as a BCP 47 code. */
export type Locale = keyof typeof LOCALES;

const STORAGE_KEY = "souk.locale";

/** The texts of one part of the shop, by language. */
export type Messages<T> = Record<Locale, T>;

/** Defines the texts of a folder. The compiler checks that German has exactly the keys of English. */
export function defineMessages<T>(messages: { en: T; de: NoInfer<T> }): Messages<T> {
  return messages;
}

interface I18n {
  readonly locale: Locale;
  readonly setLocale: (locale: Locale) => void;
}

const Context = createContext<I18n>({ locale: "en", setLocale: () => undefined });

/** The language chosen since the page was loaded. Needed where the browser forbids storage. */
let chosen: Locale | undefined;

/** Returns the chosen language, or else the first of the browser's languages that the shop supports, or else English. */
export function preferredLocale(): Locale {
  if (chosen) return chosen;
  const candidates = [readStored(STORAGE_KEY), ...navigator.languages].map((language) => language?.split("-")[0]?.toLowerCase());
  return candidates.find((language): language is Locale => language === "en" || language === "de") ?? "en";
}

/** Provides the current language to the application, and sets `lang` on the document. */
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
        writeStored(STORAGE_KEY, next);
        setLocale(next);
      },
    }),
    [locale],
  );
  return <Context value={value}>{children}</Context>;
}

/** Returns the current language and a function to change it. */
export function useLocale(): I18n {
  return use(Context);
}

/** Returns the texts in the current language. */
export function useMessages<T>(messages: Messages<T>): T {
  return messages[use(Context).locale];
}
