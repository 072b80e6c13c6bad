//! The state machine by itself, without a database.

use super::*;

/// A payment of 10.00 EUR in the given state.
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
fn money_that_is_taken_never_counts_as_let_go() {
    for taken in [
        Status::Capturing,
        Status::Captured,
        Status::PartiallyRefunded,
        Status::Refunded,
    ] {
        for next in [Status::Voiding, Status::Voided, Status::Failed, Status::Expired] {
            assert!(!taken.may_become(next), "{taken:?} -> {next:?}");
        }
    }
}

#[test]
fn nothing_leaves_an_end() {
    for end in [Status::Refunded, Status::Voided, Status::Failed, Status::Expired] {
        assert!(Status::ALL.iter().all(|next| !end.may_become(*next)), "{end:?}");
    }
}

#[test]
fn a_refund_in_two_parts_ends_refunded() {
    let paid = payment(Status::Created)
        .begin_authorization()
        .and_then(|payment| payment.authorize("pi_1".into()))
        .and_then(Payment::begin_capture)
        .and_then(Payment::capture)
        .unwrap();
    let part = Money::new(400, Currency::EUR);
    let rest = Money::new(600, Currency::EUR);
    let once = paid.reserve_refund(part);
    assert_eq!(once.refundable(), rest);
    let once = once.refund(part).unwrap();
    assert_eq!(
        (once.status, once.refundable()),
        (Status::PartiallyRefunded, rest)
    );
    let twice = once.reserve_refund(rest).refund(rest).unwrap();
    assert_eq!(
        (twice.status, twice.refundable().amount, twice.refunding.amount),
        (Status::Refunded, 0, 0)
    );
}

#[test]
fn the_words_of_the_database_are_the_words_of_the_api() {
    for status in Status::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        assert_eq!(Status::parse(status.as_str()).unwrap(), status);
    }
}
