import { defineMessages } from "@/i18n";

export const messages = defineMessages({
  en: {
    title: "Notifications",
    bell: (unread: number) => (unread === 0 ? "Notifications" : `Notifications, ${unread} unread`),
    lead: "News about your orders and your account from the last 30 days.",
    unread: "Unread:",
    readAll: "Mark all as read",
    all: "All notifications",
    news: (count: number) => `${count} new notifications`,
    none: "No notifications yet",
    noneText: "Updates about your orders will appear here.",
    toShop: "Browse the shop",
    unavailable: "Notifications are temporarily unavailable. Your orders page is up to date.",
    toOrders: "Your orders",
    notMarked: "The notification could not be marked as read. Please try again.",
  },
  de: {
    title: "Mitteilungen",
    bell: (unread: number) => (unread === 0 ? "Mitteilungen" : `Mitteilungen, ${unread} ungelesen`),
    lead: "Neuigkeiten zu Ihren Bestellungen und Ihrem Konto aus den letzten 30 Tagen.",
    unread: "Ungelesen:",
    readAll: "Alle als gelesen markieren",
    all: "Alle Mitteilungen",
    news: (count: number) => `${count} neue Mitteilungen`,
    none: "Noch keine Mitteilungen",
    noneText: "Hier erscheinen Neuigkeiten zu Ihren Bestellungen.",
    toShop: "Zum Shop",
    unavailable: "Mitteilungen sind vorübergehend nicht verfügbar. Ihre Bestellungen zeigen den aktuellen Stand.",
    toOrders: "Ihre Bestellungen",
    notMarked: "Die Mitteilung konnte nicht als gelesen markiert werden. Bitte versuchen Sie es erneut.",
  },
});
