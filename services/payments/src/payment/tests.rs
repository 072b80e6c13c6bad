//! Tests of the state machine, without a database.

use super::*;

/// Returns a payment of 10.00 EUR in the given status.
pub(crate) fn payment(status: Status) -> Payment {
    let zero = Money::zero(Currency::EUR);
    let amount = Money::new(1000, Currency::EUR);
    Payment {
        id: PaymentId::generate(),
        order_id: OrderId::generate(),
        user_id: UserId::generate(),
        status,
        amount,
        method: "pm_card_ok".into(),
        provider_id: None,
        authorized: zero,
        captured: zero,
        refunded: zero,
        refunding: zero,
        failure: None,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
    }
}

#[test]
fn a_captured_payment_can_never_become_voided_failed_or_expired() {
    for status in [
        Status::Capturing,
        Status::Captured,
        Status::PartiallyRefunded,
        Status::Refunded,
    ] {
        for next in [Status::Voiding, Status::Voided, Status::Failed, Status::Expired] {
            assert!(!status.can_become(next), "{status:?} -> {next:?}");
        }
    }
}

#[test]
fn final_statuses_have_no_transitions() {
    for status in [Status::Refunded, Status::Voided, Status::Failed, Status::Expired] {
        assert!(
            Status::ALL.iter().all(|next| !status.can_become(*next)),
            "{status:?}"
        );
    }
}

#[test]
fn two_partial_refunds_of_the_whole_amount_end_as_refunded() {
    let captured = payment(Status::Created)
        .begin_authorization()
        .and_then(|payment| payment.authorize("pi_1".into()))
        .and_then(Payment::begin_capture)
        .and_then(Payment::capture)
        .unwrap();
    let first = Money::new(400, Currency::EUR);
    let second = Money::new(600, Currency::EUR);
    let partially_refunded = captured.reserve_refund(first);
    assert_eq!(partially_refunded.refundable(), second);
    let partially_refunded = partially_refunded.refund(first).unwrap();
    assert_eq!(
        (partially_refunded.status, partially_refunded.refundable()),
        (Status::PartiallyRefunded, second)
    );
    let refunded = partially_refunded.reserve_refund(second).refund(second).unwrap();
    assert_eq!(
        (
            refunded.status,
            refunded.refundable().amount,
            refunded.refunding.amount
        ),
        (Status::Refunded, 0, 0)
    );
}

#[test]
fn statuses_have_the_same_name_in_database_and_json() {
    for status in Status::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        assert_eq!(Status::parse(status.as_str()).unwrap(), status);
    }
}
