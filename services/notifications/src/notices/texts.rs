//! What notices say, in each language.

use super::Notice;
use crate::language::Language;

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) title: String,
    pub(crate) text: String,
}

pub(crate) fn of(notice: &Notice, language: Language) -> Text {
    let (title, text) = match notice {
        Notice::Welcome => language.pick(
            (
                "Welcome to Souk",
                "Your account is made. Have a look around!".to_owned(),
            ),
            (
                "Willkommen bei Souk",
                "Ihr Konto ist eingerichtet. Sehen Sie sich um!".to_owned(),
            ),
        ),
        Notice::PasswordChanged => language.pick(
            (
                "Your password was changed",
                "You were signed out everywhere. If this was not you, tell us at once.".to_owned(),
            ),
            (
                "Ihr Passwort wurde geändert",
                "Sie wurden überall abgemeldet. Waren Sie das nicht, sagen Sie uns sofort Bescheid."
                    .to_owned(),
            ),
        ),
        Notice::OrderConfirmed { total, .. } => {
            let total = language.money(*total);
            language.pick(
                (
                    "Your order is confirmed",
                    format!("We have received {total} and are packing your order."),
                ),
                (
                    "Ihre Bestellung ist bestätigt",
                    format!("Wir haben {total} erhalten und packen Ihre Bestellung."),
                ),
            )
        }
        Notice::OrderRejected { reason, .. } => (
            language.pick(
                "Your order could not be placed",
                "Ihre Bestellung kam nicht zustande",
            ),
            rejection(reason, language).to_owned(),
        ),
        Notice::OrderCancelled { .. } => language.pick(
            ("Your order is cancelled", "You have not been charged.".to_owned()),
            (
                "Ihre Bestellung ist storniert",
                "Ihnen wurde nichts berechnet.".to_owned(),
            ),
        ),
        Notice::OrderShipped {
            carrier,
            tracking_number,
            ..
        } => (
            language.pick("Your order is on its way", "Ihre Bestellung ist unterwegs"),
            shipment(carrier.as_deref(), tracking_number.as_deref(), language),
        ),
        Notice::OrderDelivered { .. } => language.pick(
            ("Your order has arrived", "We hope you like it.".to_owned()),
            (
                "Ihre Bestellung ist angekommen",
                "Wir hoffen, sie gefällt Ihnen.".to_owned(),
            ),
        ),
        Notice::ReturnRefused { .. } => language.pick(
            (
                "Your return needs a closer look",
                "We could not give the money back yet. We will get in touch with you.".to_owned(),
            ),
            (
                "Ihre Rücksendung müssen wir uns ansehen",
                "Wir konnten das Geld noch nicht erstatten. Wir melden uns bei Ihnen.".to_owned(),
            ),
        ),
        Notice::PaymentRefunded { amount, .. } => {
            let amount = language.money(*amount);
            language.pick(
                (
                    "You get money back",
                    format!("We have sent {amount} back to you. Your bank may take a few days."),
                ),
                (
                    "Sie bekommen Geld zurück",
                    format!("Wir haben Ihnen {amount} erstattet. Ihre Bank kann einige Tage brauchen."),
                ),
            )
        }
    };
    Text {
        title: title.to_owned(),
        text,
    }
}

/// Why an order was rejected, in plain words. Reasons may be added, so there are words for one that is not known.
fn rejection(reason: &str, language: Language) -> &'static str {
    match reason {
        "out_of_stock" => language.pick(
            "Something in it has just sold out. You have not been charged.",
            "Etwas daraus ist gerade ausverkauft. Ihnen wurde nichts berechnet.",
        ),
        "payment_declined" => language.pick(
            "Your payment was declined. You have not been charged; try another payment method.",
            "Ihre Zahlung wurde abgelehnt. Ihnen wurde nichts berechnet; bitte versuchen Sie eine andere Zahlungsart.",
        ),
        "timeout" => language.pick(
            "It took too long, so we stopped. You have not been charged; please try again.",
            "Es hat zu lange gedauert, darum haben wir abgebrochen. Ihnen wurde nichts berechnet; bitte versuchen Sie es noch einmal.",
        ),
        _ => language.pick(
            "Something went wrong on our side. You have not been charged; please try again.",
            "Bei uns ist etwas schiefgegangen. Ihnen wurde nichts berechnet; bitte versuchen Sie es noch einmal.",
        ),
    }
}

fn shipment(carrier: Option<&str>, number: Option<&str>, language: Language) -> String {
    let way = match carrier {
        Some(carrier) => language.pick(format!("With {carrier}"), format!("Mit {carrier}")),
        None => language.pick(
            "It has left our house".to_owned(),
            "Sie hat unser Haus verlassen".to_owned(),
        ),
    };
    match number {
        Some(number) => {
            let label = language.pick("tracking number", "Sendungsnummer");
            format!("{way}, {label} {number}.")
        }
        None => format!("{way}."),
    }
}
