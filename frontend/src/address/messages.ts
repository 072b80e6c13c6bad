import { defineMessages } from "@/i18n";
import { formMessages } from "@/ui/formMessages";

const en = {
  ...formMessages.en,
  optional: (label: string) => `${label} (optional)`,
  recipient: "Full name",
  line1: "Street and number",
  line2: "Apartment, floor or company",
  postalCode: "Postal code",
  city: "Town or city",
  region: "State or region",
  country: "Country",
  phone: "Phone number",
};

const de: typeof en = {
  ...formMessages.de,
  optional: (label) => `${label} (optional)`,
  recipient: "Vor- und Nachname",
  line1: "Straße und Hausnummer",
  line2: "Wohnung, Stockwerk oder Firma",
  postalCode: "PLZ",
  city: "Ort",
  region: "Bundesland oder Region",
  country: "Land",
  phone: "Telefonnummer",
};

export const messages = defineMessages({ en, de });
