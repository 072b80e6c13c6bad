import { defineMessages } from "@/i18n";

export const messages = defineMessages({
  en: {
    tryAgain: "Try again",
    trace: "Trace",
    unreachable: "The shop cannot be reached. Check the connection; nothing was lost.",
    close: "Close",
    more: "Show more",
    fewer: "One fewer",
    oneMore: "One more",
    loading: "Loading",
    newTab: "(opens in a new tab)",
  },
  de: {
    tryAgain: "Erneut versuchen",
    trace: "Trace",
    unreachable: "Der Laden ist nicht erreichbar. Bitte die Verbindung prüfen; es ging nichts verloren.",
    close: "Schließen",
    more: "Mehr anzeigen",
    fewer: "Eins weniger",
    oneMore: "Eins mehr",
    loading: "Wird geladen",
    newTab: "(öffnet einen neuen Tab)",
  },
});
