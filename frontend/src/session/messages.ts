import { defineMessages } from "@/i18n";

export const messages = defineMessages({
  en: {
    title: "Please sign in",
    text: "You need to be signed in to see this page. We will bring you back here afterwards.",
    signIn: "Sign in",
    register: "Create an account",
  },
  de: {
    title: "Bitte melden Sie sich an",
    text: "Diese Seite sehen Sie nur, wenn Sie angemeldet sind. Danach kommen Sie direkt hierher zurück.",
    signIn: "Anmelden",
    register: "Konto erstellen",
  },
});
