//! Decides what a command requires, given the payment's current status: reply at once, or call the provider first. These
//! functions are pure, so that every order of arrival can be tested without a server.

use contracts::saga::{AuthorizePayment, Outcome};

use super::refusal;
use crate::{
    payment::{Payment, Status},
    provider::Operation,
};

/// The next step in handling a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// Reply with this outcome; the command is done.
    Reply(Outcome),
    /// Execute this operation at the provider, then decide again.
    Execute(Operation),
    /// Void the payment, which the provider does not know, and decide again.
    Close,
}

use Decision::{Close, Execute, Reply};

/// Decides about an `AuthorizePayment` for the order's payment, which may belong to another command or be a tombstone.
pub(super) fn authorize(command: &AuthorizePayment, payment: &Payment) -> Decision {
    let closed = || Reply(refusal("closed", "The order's payment was voided."));
    match payment.status {
        Status::Voiding | Status::Voided | Status::Expired => closed(),
        // Another command already created the order's payment.
        _ if payment.id != command.payment_id => closed(),
        Status::Created | Status::Authorizing => Execute(Operation::Authorize),
        Status::Failed => Reply(failure(payment)),
        Status::Authorized
        | Status::Capturing
        | Status::Captured
        | Status::PartiallyRefunded
        | Status::Refunded => Reply(Outcome::Done),
    }
}

/// Decides about a `CapturePayment`.
pub(super) fn capture(payment: Option<&Payment>) -> Decision {
    let Some(payment) = payment else {
        return Reply(refusal("not_authorized", "The order has no payment."));
    };
    match payment.status {
        // An earlier capture was refused; the provider would refuse again.
        Status::Authorized if payment.failure.is_some() => Reply(failure(payment)),
        Status::Authorized | Status::Capturing => Execute(Operation::Capture),
        Status::Captured | Status::PartiallyRefunded | Status::Refunded => Reply(Outcome::Done),
        Status::Created
        | Status::Authorizing
        | Status::Voiding
        | Status::Voided
        | Status::Failed
        | Status::Expired => Reply(refusal(
            "not_authorized",
            format!("The payment is {}.", payment.status.as_str()),
        )),
    }
}

/// Decides about a `VoidPayment`. An operation in progress is completed first.
pub(super) fn void(payment: &Payment) -> Decision {
    match payment.status {
        // Another worker may be executing this operation, or died doing so. Only the provider knows the outcome, so execute
        // the operation with the same key.
        Status::Authorizing => Execute(Operation::Authorize),
        Status::Capturing => Execute(Operation::Capture),
        Status::Authorized | Status::Voiding => Execute(Operation::Void),
        // If it stayed open, a late authorization would reserve money for an order that has ended.
        Status::Created => Close,
        Status::Voided | Status::Failed | Status::Expired => Reply(Outcome::Done),
        Status::Captured | Status::PartiallyRefunded | Status::Refunded => Reply(refusal(
            "captured",
            "The payment was captured; it can only be refunded.",
        )),
    }
}

fn failure(payment: &Payment) -> Outcome {
    match &payment.failure {
        Some(failure) => refusal(&failure.code, failure.message.clone()),
        None => refusal("card_declined", "The payment provider declined."),
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
            Reply(Outcome::Refused { reason, .. }) => reason,
            Reply(Outcome::Done) => "done",
            Execute(operation) => operation.as_str(),
            Close => "close",
        }
    }

    #[test]
    fn every_command_in_every_status() {
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
    fn a_refused_capture_is_not_retried_but_can_be_voided() {
        let mut payment = payment(Status::Authorized);
        payment.failure = Some(Failure {
            code: "capture_declined".into(),
            message: "no".into(),
        });
        assert_eq!(reason(&capture(Some(&payment))), "capture_declined");
        assert_eq!(reason(&void(&payment)), "void");
    }

    #[test]
    fn a_second_payment_for_an_order_is_refused() {
        let payment = payment(Status::Authorized);
        let mut other = command(&payment);
        other.payment_id = PaymentId::generate();
        assert_eq!(reason(&authorize(&other, &payment)), "closed");
    }
}
