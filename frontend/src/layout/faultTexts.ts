import { useLocale } from "@/i18n";

interface FaultText {
  readonly name: string;
  readonly title: string;
}

/** German titles and descriptions by fault name. The API returns them in English. */
const GERMAN: Readonly<Record<string, { title: string; description: string }>> = {
  inventory_unreachable: {
    title: "Das Lager ist nicht erreichbar",
    description:
      "Kommandos an das Lager gehen verloren. Sagas senden sie erneut und brechen nach zwei Minuten ab, sofern sich noch alles zurücknehmen lässt.",
  },
  payments_unreachable: {
    title: "Der Zahlungsdienst ist nicht erreichbar",
    description:
      "Kommandos an den Zahlungsdienst gehen verloren. Sagas senden sie erneut und brechen nach zwei Minuten ab, sofern sich noch alles zurücknehmen lässt.",
  },
  commands_duplicated: {
    title: "Kommandos kommen dreimal an",
    description: "Jedes Kommando wird dreimal gesendet. Trotzdem darf nichts mehrfach reserviert oder berechnet werden.",
  },
  replies_lost: {
    title: "Antworten gehen verloren",
    description: "Antworten werden bestätigt, aber nicht verarbeitet. Sagas senden ihre Kommandos erneut und erhalten die gespeicherten Antworten.",
  },
  quotes_unavailable: {
    title: "Preise sind nicht verfügbar",
    description: "Bestellungen werden mit 503 abgelehnt; der Warenkorb bleibt erhalten.",
  },
};

/** Returns a function that translates a fault's title and description. A fault without a translation stays in English. */
export function useFaultTexts() {
  const { locale } = useLocale();
  return <T extends FaultText>(fault: T): T => (locale === "de" ? { ...fault, ...GERMAN[fault.name] } : fault);
}
