import type { Locale } from "@/i18n";

import { Problem } from "./problem";

/**
 * What refusals mean, by their kind. The servers explain themselves in English, so English only has what they say to
 * programs rather than to people.
 */
const TEXTS: Record<Locale, Readonly<Record<string, string>>> = {
  en: {
    unreachable: "The shop cannot be reached. Check the connection; nothing was lost.",
    "rate-limited": "That was too much at once. Please wait a moment.",
    unavailable: "A part of the shop does not answer just now. Please try again in a moment.",
    "bad-gateway": "A part of the shop does not answer just now. Please try again in a moment.",
    timeout: "That took too long. Please try again.",
    "stale-version": "Somebody else has changed this meanwhile. Load it again, and change what is there now.",
    "exceeds-captured": "That is more than is left to pay back.",
  },
  de: {
    unreachable: "Der Laden ist nicht erreichbar. Bitte die Verbindung prüfen; es ging nichts verloren.",
    "rate-limited": "Das war zu viel auf einmal. Bitte warten Sie einen Moment.",
    unavailable: "Ein Teil des Ladens antwortet gerade nicht. Bitte versuchen Sie es gleich noch einmal.",
    "bad-gateway": "Ein Teil des Ladens antwortet gerade nicht. Bitte versuchen Sie es gleich noch einmal.",
    timeout: "Das hat zu lange gedauert. Bitte versuchen Sie es noch einmal.",
    internal: "Bei uns ist etwas schiefgegangen. Die Trace-Nummer sagt uns, was.",
    unauthorized: "Dafür müssen Sie angemeldet sein.",
    forbidden: "Ihr Konto darf das nicht.",
    "session-required": "Dafür müssen Sie sich anmelden; ein API-Schlüssel genügt nicht.",
    "insufficient-scope": "Der API-Schlüssel darf das nicht.",
    "origin-not-allowed": "Die Anmeldung gilt auf dieser Seite nicht.",
    "not-found": "Das gibt es nicht, oder nicht mehr.",
    "invalid-request": "Einige Angaben passen so nicht.",
    "bad-request": "Diese Anfrage wurde nicht verstanden.",
    "body-too-large": "Das ist zu groß.",
    "payload-too-large": "Das ist zu groß.",
    "request-in-flight": "Daran wird noch gearbeitet. Bitte warten Sie einen Moment.",
    "idempotency-key-reused": "Diese Anfrage kam schon einmal mit anderem Inhalt.",
    "too-many-failed-logins": "Zu viele falsche Versuche für dieses Konto. Bitte warten Sie, bevor Sie es wieder versuchen.",
    "too-many-addresses": "Ein Konto kann 50 Adressen haben.",
    "too-many-api-keys": "Ein Konto kann 20 API-Schlüssel haben.",
    "own-account": "Ihr eigenes Konto muss jemand anderes ändern.",
    "cart-changed": "Der Warenkorb hat sich während der Bestellung geändert. Bitte ansehen und noch einmal bestellen.",
    "too-late": "Dafür ist es zu spät.",
    "not-returnable": "Diese Bestellung lässt sich noch nicht zurückgeben.",
    "exceeds-bought": "Das ist mehr, als noch zurückgegeben werden kann.",
    "not-shippable": "Diese Bestellung kann so nicht versandt werden.",
    "return-in-progress": "Von dieser Bestellung läuft eine Rückgabe. Versandt werden kann sie, sobald die abgeschlossen oder abgelehnt ist.",
    "already-refunded": "Diese Bestellung ist schon ganz erstattet.",
    "not-awaiting-receipt": "Über diese Rückgabe ist schon entschieden, oder sie wartet nicht auf Artikel.",
    "not-deliverable": "Diese Bestellung ist nicht unterwegs.",
    "not-parked": "Entschieden wird nur über eine Saga, die angehalten ist.",
    "at-its-end": "Diese Saga ist schon zu Ende.",
    "not-refundable": "Von dieser Zahlung lässt sich nichts erstatten.",
    "exceeds-captured": "Das ist mehr, als noch erstattet werden kann.",
    "duplicate-sku": "Ein Produkt mit dieser SKU gibt es schon.",
    "stale-version": "Jemand anderes hat das inzwischen geändert. Bitte neu laden und ändern, was jetzt da ist.",
    "units-held": "Bestellungen halten noch Stücke davon zurück. Bitte später noch einmal.",
    "insufficient-stock": "So viele sind nicht mehr da.",
    "not-in-demo-mode": "Störungen lassen sich nur im Demobetrieb einschalten.",
    "too-many-streams": "Es werden gerade zu viele Bestellungen verfolgt.",
  },
};

/** Why something was refused, for the reader; in the server's words where the shop has none of its own. */
export function textOf(error: unknown, locale: Locale): string {
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : String(error);
  return TEXTS[locale][error.kind] ?? error.message;
}
