import { defineMessages } from "@/i18n";

// What the start page needs, which comes with the shell; the rest is in `pageMessages.ts`.
const en = {
  hero: "Good things for the table and the desk.",
  heroLead: "Tea, coffee and what goes with them, chosen slowly.",
  browse: "Browse the shop",
  byCategory: "Shop by category",
  newest: "New in the shop",
  seeAll: "See all",
  sagaTitle: "Watch a checkout happen",
  sagaText:
    "Every order here is a saga: several services each do a part, and you see every step live. Pay with a card that is declined, and watch everything being undone, step by step.",
  sagaPick: "Pick something and watch",
  sagaCheckout: "To the checkout",
  categories: {
    tea: "Tea",
    coffee: "Coffee",
    ceramics: "Ceramics",
    kitchen: "Kitchen",
    textiles: "Textiles",
    stationery: "Stationery",
  } as Record<string, string>,
  things: (count: number) => `${count} ${count === 1 ? "product" : "products"}`,
  inStock: "In stock",
  add: "Add to cart",
  addAnother: (inCart: number) => `Add another (${inCart})`,
  added: (name: string) => `${name} is in your cart.`,
  notAdded: (why: string) => `Not added: ${why}`,
  most: "That is as many as can be had.",
  soldOut: "Sold out",
  onlyLeft: (count: number) => `Only ${count} left`,
  available: (count: string) => `${count} in stock`,
};

const de: typeof en = {
  hero: "Schönes für Tisch und Schreibtisch.",
  heroLead: "Tee, Kaffee und was dazugehört, in Ruhe ausgesucht.",
  browse: "Zum Sortiment",
  byCategory: "Nach Kategorie",
  newest: "Neu im Laden",
  seeAll: "Alle ansehen",
  sagaTitle: "Einer Bestellung zusehen",
  sagaText:
    "Jede Bestellung hier ist eine Saga: Mehrere Dienste erledigen je einen Teil, und Sie sehen jeden Schritt live. Zahlen Sie mit einer Karte, die abgelehnt wird, und alles wird Schritt für Schritt zurückgenommen.",
  sagaPick: "Etwas aussuchen und zusehen",
  sagaCheckout: "Zur Kasse",
  categories: {
    tea: "Tee",
    coffee: "Kaffee",
    ceramics: "Keramik",
    kitchen: "Küche",
    textiles: "Textilien",
    stationery: "Papierwaren",
  },
  things: (count) => `${count} ${count === 1 ? "Produkt" : "Produkte"}`,
  inStock: "Auf Lager",
  add: "In den Korb",
  addAnother: (inCart) => `Noch eins (${inCart})`,
  added: (name) => `${name} liegt im Warenkorb.`,
  notAdded: (why) => `Nicht hinzugefügt: ${why}`,
  most: "Mehr gibt es davon nicht.",
  soldOut: "Ausverkauft",
  onlyLeft: (count) => `Nur noch ${count} da`,
  available: (count) => `${count} auf Lager`,
};

export const messages = defineMessages({ en, de });
