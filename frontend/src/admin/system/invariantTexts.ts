/** What must hold, in German; the auditor says it in English. */
export const GERMAN: Readonly<Record<string, string>> = {
  ledger_balances: "Das Buch geht auf",
  books_agree: "Zahlungen, Buch und Anbieter stimmen überein",
  one_charge: "Höchstens eine Autorisierung und eine Abbuchung je Bestellung",
  stock_adds_up: "Eine SKU: vorhanden = verfügbar + zurückgelegt, zurückgelegt = ihre Vormerkungen",
  stock_received: "Eine SKU: vorhanden + ausgebucht = eingegangen + zurückgenommen",
  confirmed_is_committed: "Bestätigt genau dann, wenn ausgebucht",
  confirmed_is_captured: "Bestätigt genau dann, wenn abgebucht; sonst freigegeben, gescheitert oder nie gefragt",
  sagas_end: "Jede Saga endet oder ist angehalten, binnen 10 Minuten",
  no_undo_after_capture: "Nach einer Abbuchung wird nichts rückgängig gemacht",
  one_effect: "Jeder Befehl wirkt einmal",
  one_key_one_order: "Ein Idempotenzschlüssel, eine Bestellung, und sie lässt sich lesen",
  outboxes_empty: "Nichts wartet in einem Postausgang",
  dead_letters_parked: "Jede unzustellbare Nachricht gehört zu einer angehaltenen Saga",
  events_told: "Jedes erzählte Ereignis steht in Kafka, in der Reihenfolge seines Schlüssels",
  one_live_token: "Ein gültiges Token je Anmeldung",
  actions_signed: "Jeder Eingriff eines Betreibers hat einen Namen und einen Grund",
};
