import { defineMessages } from "@/i18n";

export const messages = defineMessages({
  en: {
    title: "Sign in to see this page",
    text: "It is yours alone. You come straight back here afterwards.",
    signIn: "Sign in",
    register: "Create an account",
  },
  de: {
    title: "Bitte anmelden, um diese Seite zu sehen",
    text: "Sie gehört nur Ihnen. Danach geht es direkt hierher zurück.",
    signIn: "Anmelden",
    register: "Konto anlegen",
  },
});
