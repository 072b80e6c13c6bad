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
        Notice::VerifyAddress => language.pick(
            ("Confirm your email address", confirm_address(language).to_owned()),
            ("Bestätigen Sie Ihre E-Mail-Adresse", confirm_address(language).to_owned()),
        ),
        Notice::ResetPassword { registered_again } => reset_password(*registered_again, language),
        Notice::PasswordChanged => language.pick(
            (
                "Your password was changed",
                "You were signed out on all other devices. If this was not you, choose a new password at once: \
                 “Forgot password?” on the sign-in page sends you a link."
                    .to_owned(),
            ),
            (
                "Ihr Passwort wurde geändert",
                "Sie wurden auf allen anderen Geräten abgemeldet. Waren Sie das nicht, wählen Sie sofort ein neues Passwort: \
                 „Passwort vergessen?“ auf der Anmeldeseite schickt Ihnen einen Link."
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
        Notice::ReturnRequested { needs_receipt, .. } => requested(*needs_receipt, language),
        Notice::ReturnReceived { .. } => received(language),
        Notice::ReturnRefused { reason, .. } => refused(reason.as_deref(), language),
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

/// What the mail that verifies an address says.
pub(crate) fn confirm_address(language: Language) -> &'static str {
    language.pick(
        "Please confirm that this address is yours. The link works once, for a day. If you did not sign up, do nothing.",
        "Bitte bestätigen Sie, dass diese Adresse Ihnen gehört. Der Link gilt einmal und für einen Tag. Haben Sie sich nicht angemeldet, tun Sie einfach nichts.",
    )
}

fn reset_password(registered_again: bool, language: Language) -> (&'static str, String) {
    let (title, text) = match (registered_again, language.tag()) {
        (false, "de") => (
            "Neues Passwort wählen",
            "Mit diesem Link wählen Sie ein neues Passwort. Er gilt einmal und für 30 Minuten. Danach sind alle Geräte abgemeldet und alle API-Schlüssel gelöscht. \
             Haben Sie das nicht angefordert, tun Sie einfach nichts: Ihr Passwort bleibt, wie es ist.",
        ),
        (false, _) => (
            "Choose a new password",
            "With this link you choose a new password. It works once, for 30 minutes. All devices are then signed out and all API keys deleted. \
             If you did not ask for it, do nothing: your password stays the same.",
        ),
        (true, "de") => (
            "Sie haben schon ein Konto",
            "Gerade wollte jemand mit dieser Adresse ein Konto anlegen, aber Sie haben schon eines. Melden Sie sich mit Ihrem Passwort an. Haben Sie es vergessen, wählen Sie \
             mit diesem Link ein neues; er gilt einmal und für 30 Minuten. Waren Sie das nicht, tun Sie einfach nichts.",
        ),
        (true, _) => (
            "You already have an account",
            "Someone has just tried to create an account with this address, but you already have one. Sign in with your password. If you have forgotten it, choose a new one \
             with this link; it works once, for 30 minutes. If this was not you, do nothing.",
        ),
    };
    (title, text.to_owned())
}

/// The returned items have arrived.
fn received(language: Language) -> (&'static str, String) {
    language.pick(
        (
            "Your return has arrived",
            "Thank you. We are refunding you now.".to_owned(),
        ),
        (
            "Ihre Rücksendung ist angekommen",
            "Vielen Dank. Wir erstatten Ihnen jetzt den Betrag.".to_owned(),
        ),
    )
}

/// Why a return was refused: an operator's reason, or none if the refund failed.
fn refused(reason: Option<&str>, language: Language) -> (&'static str, String) {
    match reason {
        Some(reason) => language.pick(
            ("We cannot accept your return", format!("The reason: {reason}")),
            (
                "Wir können Ihre Rückgabe nicht annehmen",
                format!("Der Grund: {reason}"),
            ),
        ),
        None => language.pick(
            (
                "Your return needs a closer look",
                "We could not give the money back yet. We will get in touch with you.".to_owned(),
            ),
            (
                "Ihre Rücksendung müssen wir uns ansehen",
                "Wir konnten das Geld noch nicht erstatten. Wir melden uns bei Ihnen.".to_owned(),
            ),
        ),
    }
}

/// What happens next after a return was requested.
fn requested(needs_receipt: bool, language: Language) -> (&'static str, String) {
    let text = if needs_receipt {
        language.pick(
            "Please send the items back to us. We refund you as soon as they have arrived.",
            "Bitte senden Sie die Artikel an uns zurück. Sobald sie angekommen sind, erstatten wir Ihnen den Betrag.",
        )
    } else {
        language.pick(
            "The items had not been shipped yet, so there is nothing to send back. We are refunding you now.",
            "Die Artikel waren noch nicht verschickt, Sie müssen also nichts zurücksenden. Wir erstatten Ihnen jetzt den Betrag.",
        )
    };
    let title = language.pick("We have your return request", "Ihre Rückgabe ist angemeldet");
    (title, text.to_owned())
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
