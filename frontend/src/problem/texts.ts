import type { Locale } from "@/i18n";

import { Problem } from ".";

/**
 * Texts by problem kind. The API explains problems in English, so the English table only replaces explanations that are
 * written for developers rather than for shoppers.
 */
const TEXTS: Record<Locale, Readonly<Record<string, string>>> = {
  en: {
    unreachable: "The shop cannot be reached. Please check your connection and try again.",
    "rate-limited": "Too many requests. Please wait a moment and try again.",
    unavailable: "Part of the shop is temporarily unavailable. Please try again in a moment.",
    "bad-gateway": "Part of the shop is temporarily unavailable. Please try again in a moment.",
    timeout: "That took too long. Please try again.",
    "stale-version": "Someone else has changed this in the meantime. Please reload and try again.",
    "exceeds-captured": "That is more than can still be refunded.",
  },
  de: {
    unreachable: "Der Shop ist nicht erreichbar. Bitte prüfen Sie Ihre Verbindung und versuchen Sie es erneut.",
    "rate-limited": "Zu viele Anfragen. Bitte warten Sie einen Moment und versuchen Sie es erneut.",
    unavailable: "Ein Teil des Shops ist vorübergehend nicht verfügbar. Bitte versuchen Sie es gleich noch einmal.",
    "bad-gateway": "Ein Teil des Shops ist vorübergehend nicht verfügbar. Bitte versuchen Sie es gleich noch einmal.",
    timeout: "Das hat zu lange gedauert. Bitte versuchen Sie es erneut.",
    internal: "Bei uns ist ein Fehler aufgetreten. Bitte versuchen Sie es erneut.",
    unauthorized: "Dafür müssen Sie angemeldet sein.",
    forbidden: "Dazu ist Ihr Konto nicht berechtigt.",
    "session-required": "Dafür müssen Sie sich anmelden; ein API-Schlüssel genügt nicht.",
    "insufficient-scope": "Dazu ist der API-Schlüssel nicht berechtigt.",
    "origin-not-allowed": "Von dieser Seite aus ist das nicht erlaubt.",
    "not-found": "Das wurde nicht gefunden.",
    "invalid-request": "Bitte prüfen Sie Ihre Angaben.",
    "bad-request": "Diese Anfrage ist ungültig.",
    "payload-too-large": "Diese Anfrage ist zu groß.",
    "request-in-flight": "Diese Anfrage wird noch bearbeitet. Bitte warten Sie einen Moment.",
    "idempotency-key-reused": "Diese Anfrage wurde bereits mit anderem Inhalt gesendet.",
    "too-many-failed-logins": "Zu viele fehlgeschlagene Anmeldungen. Bitte warten Sie einen Moment und versuchen Sie es erneut.",
    "too-many-addresses": "Sie können höchstens 50 Adressen speichern.",
    "too-many-api-keys": "Sie können höchstens 20 API-Schlüssel anlegen.",
    "own-account": "Ihr eigenes Konto muss ein anderer Betreiber ändern.",
    "cart-changed": "Ihr Warenkorb wurde inzwischen geändert. Bitte prüfen Sie ihn und bestellen Sie erneut.",
    "too-late": "Dafür ist es zu spät.",
    "not-returnable": "Diese Bestellung kann noch nicht zurückgegeben werden.",
    "exceeds-bought": "So viele Artikel können nicht mehr zurückgegeben werden.",
    "not-shippable": "Diese Bestellung kann nicht versandt werden.",
    "return-in-progress": "Diese Bestellung kann nicht versandt werden, solange eine Rückgabe läuft.",
    "already-refunded": "Diese Bestellung wurde bereits vollständig erstattet.",
    "not-awaiting-receipt": "Diese Rückgabe erwartet keine Artikel.",
    "not-deliverable": "Diese Bestellung ist nicht unterwegs.",
    "not-parked": "Entscheiden können Sie nur über eine angehaltene Saga.",
    "at-its-end": "Diese Saga ist bereits beendet.",
    "not-refundable": "Diese Zahlung kann nicht erstattet werden.",
    "exceeds-captured": "Das ist mehr, als noch erstattet werden kann.",
    "duplicate-sku": "Ein Produkt mit dieser Artikelnummer gibt es bereits.",
    "stale-version": "Jemand anderes hat das inzwischen geändert. Bitte laden Sie neu und versuchen Sie es erneut.",
    "units-held": "Dieses Produkt ist noch für Bestellungen reserviert.",
    "insufficient-stock": "So viele sind nicht mehr verfügbar.",
    "not-in-demo-mode": "Störungen lassen sich nur im Demobetrieb einschalten.",
    "too-many-streams": "Zurzeit werden zu viele Bestellungen live verfolgt.",
  },
};

/** Returns the message for an error in the given language, or the server's own message if there is no translation. */
export function messageFor(error: unknown, locale: Locale): string {
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : String(error);
  return TEXTS[locale][error.kind] ?? error.message;
}
