import { useId } from "react";

import { LOCALES, type Locale, useLocale, useMessages } from "@/i18n";

import { messages } from "./messages";
import { setTheme, type Theme, useTheme } from "./theme";

/** The footer with the choice of language and theme. */
export function Footer() {
  const t = useMessages(messages);
  const { locale, setLocale } = useLocale();
  const theme = useTheme();
  const ids = { theme: useId(), locale: useId() };
  const select = "min-h-9 rounded-lg border border-edge bg-surface px-2 py-1 text-sm text-ink";
  return (
    <footer className="border-t border-line">
      <div className="mx-auto flex max-w-7xl flex-wrap items-center justify-between gap-4 px-4 py-6 text-sm text-muted sm:px-6">
        <p className="max-w-prose">{t.about}</p>
        <div className="flex flex-wrap items-center gap-x-5 gap-y-3">
          <a href="/docs" className="underline underline-offset-4 hover:text-ink">
            {t.api}
          </a>
          <span className="flex items-center gap-2">
            <label htmlFor={ids.locale}>{t.language}</label>
            <select id={ids.locale} className={select} value={locale} onChange={(event) => setLocale(event.target.value as Locale)}>
              {Object.entries(LOCALES).map(([value, name]) => (
                <option key={value} value={value} lang={value}>
                  {name}
                </option>
              ))}
            </select>
          </span>
          <span className="flex items-center gap-2">
            <label htmlFor={ids.theme}>{t.theme}</label>
            <select id={ids.theme} className={select} value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
              {(["system", "light", "dark"] as const).map((value) => (
                <option key={value} value={value}>
                  {t.themes[value]}
                </option>
              ))}
            </select>
          </span>
        </div>
      </div>
    </footer>
  );
}
