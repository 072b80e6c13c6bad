//! What a command means for a payment as it stands: answer now, or ask the provider something first. Pure, so that every
//! order of arrival can be tested without a server.

use contracts::saga::{AuthorizePayment, Outcome};

use super::refused;
use crate::{
    payment::{Payment, Status},
    provider::Operation,
};

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    Answer(Outcome),
    /// Ask the provider, then decide again.
    Ask(Operation),
    /// Close the payment, of which the provider knows nothing, and decide again.
    Close,
}

use Decision::{Answer, Ask, Close};

pub(super) fn authorize(command: &AuthorizePayment, payment: &Payment) -> Decision {
    let closed = || Answer(refused("closed", "The order's payment was voided."));
    match payment.status {
        Status::Voiding | Status::Voided | Status::Expired => closed(),
        // The order is being paid by another command: not this one's to do.
        _ if payment.id != command.payment_id => closed(),
        Status::Created | Status::Authorizing => Ask(Operation::Authorize),
        Status::Failed => Answer(failure(payment)),
        Status::Authorized
        | Status::Capturing
        | Status::Captured
        | Status::PartiallyRefunded
        | Status::Refunded => Answer(Outcome::Done),
    }
}

pub(super) fn capture(payment: Option<&Payment>) -> Decision {
    let Some(payment) = payment else {
        return Answer(refused("not_authorized", "The order has no payment."));
    };
    match payment.status {
        // Asked once before and refused: the provider would say the same again.
        Status::Authorized if payment.failure.is_some() => Answer(failure(payment)),
        Status::Authorized | Status::Capturing => Ask(Operation::Capture),
        Status::Captured | Status::PartiallyRefunded | Status::Refunded => Answer(Outcome::Done),
        Status::Created
        | Status::Authorizing
        | Status::Voiding
        | Status::Voided
        | Status::Failed
        | Status::Expired => Answer(refused(
            "not_authorized",
            format!("The payment is {}.", payment.status.as_str()),
        )),
    }
}

pub(super) fn void(payment: &Payment) -> Decision {
    match payment.status {
        // Another worker may be asking, or died asking: only the provider knows, so the same is asked under the same key.
        Status::Authorizing => Ask(Operation::Authorize),
        Status::Capturing => Ask(Operation::Capture),
        Status::Authorized | Status::Voiding => Ask(Operation::Void),
        // Otherwise a late authorization would find it open, and reserve money for an order that is over.
        Status::Created => Close,
        Status::Voided | Status::Failed | Status::Expired => Answer(Outcome::Done),
        Status::Captured | Status::PartiallyRefunded | Status::Refunded => Answer(refused(
            "captured",
            "The money was taken; it can only be refunded.",
        )),
    }
}

fn failure(payment: &Payment) -> Outcome {
    match &payment.failure {
        Some(failure) => refused(&failure.code, failure.message.clone()),
        None => refused("card_declined", "The provider refused."),
    }
}

#[cfg(test)]
mod tests {
    use contracts::{Currency, Money, PaymentId};

    use super::*;
    use crate::payment::{Failure, tests::payment};

    fn command(payment: &Payment) -> AuthorizePayment {
        AuthorizePayment {
            order_id: payment.order_id,
            payment_id: payment.id,
            user_id: payment.user_id,
            amount: Money::new(1000, Currency::EUR),
            payment_method: "pm_card_ok".into(),
        }
    }

    fn reason(decision: &Decision) -> &str {
        match decision {
            Answer(Outcome::Refused { reason, .. }) => reason,
            Answer(Outcome::Done) => "done",
            Ask(operation) => operation.as_str(),
            Close => "close",
        }
    }

    #[test]
    fn every_command_in_every_state() {
        for (status, on_authorize, on_capture, on_void) in [
            (Status::Created, "authorize", "not_authorized", "close"),
            (Status::Authorizing, "authorize", "not_authorized", "authorize"),
            (Status::Authorized, "done", "capture", "void"),
            (Status::Capturing, "done", "capture", "capture"),
            (Status::Captured, "done", "done", "captured"),
            (Status::PartiallyRefunded, "done", "done", "captured"),
            (Status::Refunded, "done", "done", "captured"),
            (Status::Voiding, "closed", "not_authorized", "void"),
            (Status::Voided, "closed", "not_authorized", "done"),
            (Status::Failed, "card_declined", "not_authorized", "done"),
            (Status::Expired, "closed", "not_authorized", "done"),
        ] {
            let payment = payment(status);
            assert_eq!(
                reason(&authorize(&command(&payment), &payment)),
                on_authorize,
                "{status:?}"
            );
            assert_eq!(reason(&capture(Some(&payment))), on_capture, "{status:?}");
            assert_eq!(reason(&void(&payment)), on_void, "{status:?}");
        }
        assert_eq!(reason(&capture(None)), "not_authorized");
    }

    #[test]
    fn a_capture_that_was_refused_is_not_asked_for_again_but_can_be_voided() {
        let mut payment = payment(Status::Authorized);
        payment.failure = Some(Failure {
            code: "capture_declined".into(),
            message: "no".into(),
        });
        assert_eq!(reason(&capture(Some(&payment))), "capture_declined");
        assert_eq!(reason(&void(&payment)), "void");
    }

    #[test]
    fn an_order_is_paid_by_one_payment() {
        let payment = payment(Status::Authorized);
        let mut other = command(&payment);
        other.payment_id = PaymentId::generate();
        assert_eq!(reason(&authorize(&other, &payment)), "closed");
    }
}
