import { useSyncExternalStore } from "react";

import { readStored, writeStored } from "@/browser";

/** The chosen theme; `system` follows the device. `public/boot.js` applies the stored value before the first paint. */
export type Theme = "system" | "light" | "dark";

const KEY = "souk.theme";
const listeners = new Set<() => void>();

function current(): Theme {
  const theme = readStored(KEY);
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** Stores the theme and applies it to the page. */
export function setTheme(theme: Theme): void {
  if (theme === "system") {
    writeStored(KEY, null);
    delete document.documentElement.dataset["theme"];
  } else {
    writeStored(KEY, theme);
    document.documentElement.dataset["theme"] = theme;
  }
  for (const listener of listeners) listener();
}

/** Returns the chosen theme and re-renders when it changes. */
export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
