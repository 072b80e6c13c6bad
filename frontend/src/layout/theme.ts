import { useSyncExternalStore } from "react";

import { keep, recall } from "@/session/browser";

/** `system` follows the device. `public/boot.js` reads the same before the first paint. */
export type Theme = "system" | "light" | "dark";

const KEY = "souk.theme";
const listeners = new Set<() => void>();

function current(): Theme {
  const theme = recall(KEY);
  return theme === "light" || theme === "dark" ? theme : "system";
}

export function setTheme(theme: Theme): void {
  if (theme === "system") {
    keep(KEY, null);
    delete document.documentElement.dataset["theme"];
  } else {
    keep(KEY, theme);
    document.documentElement.dataset["theme"] = theme;
  }
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
