import { defineMessages } from "@/i18n";

/** Texts that the forms of several pages share. */
export const formMessages = defineMessages({
  en: {
    cancel: "Cancel",
    needed: "Please fill in this field.",
    tooLong: (most: number) => `Please use at most ${most} characters.`,
    reason: "Reason",
    reasonHint: "Recorded in the audit log with your name.",
    reasonNeeded: "Please enter a reason.",
  },
  de: {
    cancel: "Abbrechen",
    needed: "Bitte füllen Sie dieses Feld aus.",
    tooLong: (most: number) => `Bitte höchstens ${most} Zeichen eingeben.`,
    reason: "Grund",
    reasonHint: "Wird mit Ihrem Namen protokolliert.",
    reasonNeeded: "Bitte geben Sie einen Grund an.",
  },
});
