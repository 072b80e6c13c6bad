//! The texts of notices in English and German.

use super::Notice;
use crate::language::Language;

/// Title and text of a notice in one language.
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
                "Your account is ready. Have a look around!".to_owned(),
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
                "You were signed out on all other devices. If this was not you, choose a new password immediately: \
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
                    "Your refund is on its way",
                    format!("We have refunded {amount}. It may take your bank a few days to show it."),
                ),
                (
                    "Ihre Erstattung ist unterwegs",
                    format!("Wir haben Ihnen {amount} erstattet. Die Gutschrift kann einige Tage dauern."),
                ),
            )
        }
    };
    Text {
        title: title.to_owned(),
        text,
    }
}

/// The text of the mail that verifies an address.
pub(crate) fn confirm_address(language: Language) -> &'static str {
    language.pick(
        "Please confirm that this is your email address. The link works once and expires after one day. If you did not sign up, you can ignore this email.",
        "Bitte bestätigen Sie, dass diese Adresse Ihnen gehört. Der Link gilt einmal und für einen Tag. Wenn Sie sich nicht registriert haben, können Sie diese E-Mail ignorieren.",
    )
}

fn reset_password(registered_again: bool, language: Language) -> (&'static str, String) {
    let (title, text) = match (registered_again, language.tag()) {
        (false, "de") => (
            "Neues Passwort wählen",
            "Mit diesem Link wählen Sie ein neues Passwort. Er gilt einmal und für 30 Minuten. Mit dem neuen Passwort werden alle Geräte abgemeldet und alle API-Schlüssel gelöscht. \
             Wenn Sie das nicht angefordert haben, können Sie diese E-Mail ignorieren: Ihr Passwort bleibt unverändert.",
        ),
        (false, _) => (
            "Choose a new password",
            "Use this link to choose a new password. It works once and expires after 30 minutes. A new password signs out all devices and deletes all API keys. \
             If you did not request this, you can ignore this email: your password stays the same.",
        ),
        (true, "de") => (
            "Sie haben schon ein Konto",
            "Gerade wollte jemand mit dieser Adresse ein Konto anlegen, aber Sie haben schon eines. Melden Sie sich mit Ihrem Passwort an. Haben Sie es vergessen, wählen Sie \
             mit diesem Link ein neues; er gilt einmal und für 30 Minuten. Wenn Sie das nicht waren, können Sie diese E-Mail ignorieren.",
        ),
        (true, _) => (
            "You already have an account",
            "Someone has just tried to create an account with this address, but you already have one. Sign in with your password. If you have forgotten it, use this link \
             to choose a new one; it works once and expires after 30 minutes. If this was not you, you can ignore this email.",
        ),
    };
    (title, text.to_owned())
}

/// The notice that returned items have arrived.
fn received(language: Language) -> (&'static str, String) {
    language.pick(
        (
            "Your return has arrived",
            "Thank you. We are issuing your refund now.".to_owned(),
        ),
        (
            "Ihre Rücksendung ist angekommen",
            "Vielen Dank. Wir erstatten Ihnen jetzt den Betrag.".to_owned(),
        ),
    )
}

/// The notice that a return was refused for an operator's reason, or that its refund failed if there is no reason.
fn refused(reason: Option<&str>, language: Language) -> (&'static str, String) {
    match reason {
        Some(reason) => language.pick(
            ("We cannot accept your return", format!("Reason: {reason}")),
            (
                "Wir können Ihre Rückgabe nicht annehmen",
                format!("Grund: {reason}"),
            ),
        ),
        None => language.pick(
            (
                "Your refund is delayed",
                "We could not refund your return yet. We will contact you.".to_owned(),
            ),
            (
                "Ihre Erstattung verzögert sich",
                "Wir konnten Ihnen den Betrag noch nicht erstatten. Wir melden uns bei Ihnen.".to_owned(),
            ),
        ),
    }
}

/// The notice that a return was requested, with the next step.
fn requested(needs_receipt: bool, language: Language) -> (&'static str, String) {
    let text = if needs_receipt {
        language.pick(
            "Please send the items back to us. We will refund you as soon as they arrive.",
            "Bitte senden Sie die Artikel an uns zurück. Sobald sie angekommen sind, erstatten wir Ihnen den Betrag.",
        )
    } else {
        language.pick(
            "The items had not been shipped yet, so you do not need to send anything back. We are issuing your refund now.",
            "Die Artikel waren noch nicht verschickt, Sie müssen also nichts zurücksenden. Wir erstatten Ihnen jetzt den Betrag.",
        )
    };
    let title = language.pick(
        "We have received your return request",
        "Ihre Rückgabe ist angemeldet",
    );
    (title, text.to_owned())
}

/// Explains to the shopper why an order was rejected. Reasons may be added, so there is a text for unknown ones.
fn rejection(reason: &str, language: Language) -> &'static str {
    match reason {
        "out_of_stock" => language.pick(
            "One of the items has just sold out. You have not been charged.",
            "Einer der Artikel ist inzwischen ausverkauft. Ihnen wurde nichts berechnet.",
        ),
        "payment_declined" => language.pick(
            "Your payment was declined. You have not been charged. Please try another payment method.",
            "Ihre Zahlung wurde abgelehnt. Ihnen wurde nichts berechnet. Bitte versuchen Sie eine andere Zahlungsart.",
        ),
        "timeout" => language.pick(
            "Processing your order took too long. You have not been charged. Please try again.",
            "Die Bearbeitung Ihrer Bestellung hat zu lange gedauert. Ihnen wurde nichts berechnet. Bitte versuchen Sie es noch einmal.",
        ),
        _ => language.pick(
            "Something went wrong on our side. You have not been charged. Please try again.",
            "Bei uns ist ein Fehler aufgetreten. Ihnen wurde nichts berechnet. Bitte versuchen Sie es noch einmal.",
        ),
    }
}

fn shipment(carrier: Option<&str>, number: Option<&str>, language: Language) -> String {
    let text = match carrier {
        Some(carrier) => language.pick(
            format!("Shipped with {carrier}"),
            format!("Versandt mit {carrier}"),
        ),
        None => language.pick(
            "It has left our warehouse".to_owned(),
            "Sie hat unser Lager verlassen".to_owned(),
        ),
    };
    match number {
        Some(number) => {
            let label = language.pick("tracking number", "Sendungsnummer");
            format!("{text}, {label} {number}.")
        }
        None => format!("{text}."),
    }
}
