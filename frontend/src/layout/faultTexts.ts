import { useLocale } from "@/i18n";

interface Told {
  readonly name: string;
  readonly title: string;
}

/** The faults that there are, in German; the servers describe them in English. */
const GERMAN: Readonly<Record<string, { title: string; description: string }>> = {
  inventory_unreachable: {
    title: "Das Lager ist nicht erreichbar",
    description:
      "Befehle an das Lager gehen verloren. Sagas senden sie erneut und geben nach zwei Minuten auf, solange sie noch umkehren können.",
  },
  payments_unreachable: {
    title: "Die Zahlungen sind nicht erreichbar",
    description:
      "Befehle an die Zahlungen gehen verloren. Sagas senden sie erneut und geben nach zwei Minuten auf, solange sie noch umkehren können.",
  },
  commands_duplicated: {
    title: "Befehle kommen dreimal an",
    description: "Jeder Befehl wird dreimal gesendet. Nichts darf mehr als einmal zurückgelegt oder berechnet werden.",
  },
  replies_lost: {
    title: "Antworten gehen verloren",
    description: "Antworten werden ungelesen bestätigt. Befehle werden erneut gesendet, und mit ihnen die gespeicherten Antworten.",
  },
  quotes_unavailable: {
    title: "Preise sind nicht zu haben",
    description: "Es lässt sich nichts bestellen: Die Antwort ist 503, und der Warenkorb bleibt.",
  },
};

/** How a fault is called and described, for the reader; in the server's words where the shop has none of its own. */
export function useFaultTexts() {
  const { locale } = useLocale();
  return <T extends Told>(fault: T): T => (locale === "de" ? { ...fault, ...GERMAN[fault.name] } : fault);
}
