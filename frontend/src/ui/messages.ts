import { defineMessages } from "@/i18n";

export const messages = defineMessages({
  en: {
    tryAgain: "Try again",
    trace: "Trace",
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
    close: "Schließen",
    more: "Mehr anzeigen",
    fewer: "Eins weniger",
    oneMore: "Eins mehr",
    loading: "Wird geladen",
    newTab: "(öffnet einen neuen Tab)",
  },
});
