import { defineMessages } from "@/i18n";

// Texts that the home page needs. They are part of the shell; all other texts of this folder are in `pageMessages.ts`.
const en = {
  hero: "Good things for the table and the desk.",
  heroLead: "Tea and coffee, ceramics, textiles and stationery.",
  browse: "Browse the shop",
  byCategory: "Shop by category",
  newest: "New in the shop",
  seeAll: "See all",
  sagaTitle: "Watch your checkout live",
  sagaText:
    "Every order is a saga: several services each do one step while you watch. Pay with a card that is declined to see the completed steps being undone.",
  sagaPick: "Choose a product",
  sagaCheckout: "Go to checkout",
  categories: {
    tea: "Tea",
    coffee: "Coffee",
    ceramics: "Ceramics",
    kitchen: "Kitchen",
    textiles: "Textiles",
    stationery: "Stationery",
  } as Record<string, string>,
  products: (count: number) => `${count} ${count === 1 ? "product" : "products"}`,
  inStock: "In stock",
  add: "Add to cart",
  addAnother: (inCart: number) => `Add another (${inCart})`,
  added: (name: string) => `${name} has been added to your cart.`,
  notAdded: (reason: string) => `Not added to your cart: ${reason}`,
  most: "You have the maximum quantity in your cart.",
  soldOut: "Sold out",
  onlyLeft: (count: number) => `Only ${count} left`,
  available: (count: string) => `${count} in stock`,
};

const de: typeof en = {
  hero: "Schönes für Tisch und Schreibtisch.",
  heroLead: "Tee und Kaffee, Keramik, Textilien und Papierwaren.",
  browse: "Zum Sortiment",
  byCategory: "Kategorien",
  newest: "Neu im Sortiment",
  seeAll: "Alle ansehen",
  sagaTitle: "Sehen Sie Ihrer Bestellung live zu",
  sagaText:
    "Jede Bestellung ist eine Saga: Mehrere Dienste erledigen je einen Schritt, und Sie sehen zu. Zahlen Sie mit einer Karte, die abgelehnt wird, und die erledigten Schritte werden zurückgenommen.",
  sagaPick: "Produkt auswählen",
  sagaCheckout: "Zur Kasse",
  categories: {
    tea: "Tee",
    coffee: "Kaffee",
    ceramics: "Keramik",
    kitchen: "Küche",
    textiles: "Textilien",
    stationery: "Papierwaren",
  },
  products: (count) => `${count} ${count === 1 ? "Produkt" : "Produkte"}`,
  inStock: "Auf Lager",
  add: "In den Warenkorb",
  addAnother: (inCart) => `Noch eins hinzufügen (${inCart})`,
  added: (name) => `${name} wurde in den Warenkorb gelegt.`,
  notAdded: (reason) => `Nicht in den Warenkorb gelegt: ${reason}`,
  most: "Mehr davon ist nicht verfügbar.",
  soldOut: "Ausverkauft",
  onlyLeft: (count) => `Nur noch ${count} auf Lager`,
  available: (count) => `${count} auf Lager`,
};

export const messages = defineMessages({ en, de });
