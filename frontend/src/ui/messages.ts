import { defineMessages } from "@/i18n";

export const messages = defineMessages({
  en: {
    tryAgain: "Try again",
    trace: "Trace",
    close: "Close",
    more: "Show more",
    decrease: "Decrease",
    increase: "Increase",
    loading: "Loading",
    newTab: "(opens in a new tab)",
    notFound: "Page not found",
    notFoundText: "The address may be mistyped, or the page no longer exists.",
    toShop: "Browse the shop",
  },
  de: {
    tryAgain: "Erneut versuchen",
    trace: "Trace",
    close: "Schließen",
    more: "Mehr anzeigen",
    decrease: "Verringern",
    increase: "Erhöhen",
    loading: "Wird geladen",
    newTab: "(öffnet einen neuen Tab)",
    notFound: "Seite nicht gefunden",
    notFoundText: "Die Adresse ist falsch oder die Seite gibt es nicht mehr.",
    toShop: "Zum Shop",
  },
});
