import { defineMessages } from "@/i18n";

export const messages = defineMessages({
  en: {
    title: "Notifications",
    bell: (unread: number) => (unread === 0 ? "Notifications" : `Notifications, ${unread} unread`),
    lead: "What happened to your orders and your account in the last 30 days.",
    unread: "Unread:",
    readAll: "Mark all as read",
    all: "All notifications",
    news: (count: number) => `${count} new notifications`,
    none: "Nothing has happened yet",
    noneText: "When something becomes of an order, you will find it here.",
    toShop: "Discover the shop",
    away: "Your notifications cannot be had just now. Your orders have all there is to know.",
    toOrders: "Your orders",
    notMarked: "That could not be marked as read. Please try again.",
  },
  de: {
    title: "Mitteilungen",
    bell: (unread: number) => (unread === 0 ? "Mitteilungen" : `Mitteilungen, ${unread} ungelesen`),
    lead: "Was in den letzten 30 Tagen mit Ihren Bestellungen und Ihrem Konto geschehen ist.",
    unread: "Ungelesen:",
    readAll: "Alle gelesen",
    all: "Alle Mitteilungen",
    news: (count: number) => `${count} neue Mitteilungen`,
    none: "Noch ist nichts geschehen",
    noneText: "Sobald sich bei einer Bestellung etwas tut, finden Sie es hier.",
    toShop: "Zum Laden",
    away: "Ihre Mitteilungen sind gerade nicht zu erreichen. Bei Ihren Bestellungen steht alles Wichtige.",
    toOrders: "Ihre Bestellungen",
    notMarked: "Das ließ sich nicht als gelesen markieren. Bitte versuchen Sie es noch einmal.",
  },
});
