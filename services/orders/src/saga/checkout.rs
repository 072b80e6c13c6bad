//! The sagas of Souk, each a table to be read from top to bottom: every step with its service, its command, its undo, and
//! what each outcome means for the order. `engine.rs` says how a saga moves from step to step.

use contracts::saga::{
    AuthorizePayment, CapturePayment, Command, CommitStock, PinStock, RefundPayment, ReleaseStock,
    ReserveStock, RestockItems, UnpinStock, VoidPayment,
};

use super::table::{Effect, Facts, Rejection, Saga, StepId, inventory, local, payments};
use crate::orders::{FulfilmentStatus, OrderStatus, PaymentStatus, ReturnStatus};

/// How long the items of an order are held unless they are pinned: 15 minutes. This is much longer than the deadline of
/// a checkout, because an operator's retry starts that deadline again.
pub const HOLD_SECONDS: u32 = 15 * 60;

/// The saga that turns a placed order into a confirmed one.
pub const CHECKOUT: Saga = Saga::new(
    "checkout",
    &[
        inventory(StepId::ReserveStock, reserve)
            .undo(|f| ReleaseStock { order_id: f.order }.into())
            .done(Effect::event("stock_reserved").fulfilment(FulfilmentStatus::Reserved))
            .undone(Effect::event("stock_released").fulfilment(FulfilmentStatus::Cancelled))
            .rejects(Rejection::OutOfStock),
        payments(StepId::AuthorizePayment, authorize)
            .undo(|f| VoidPayment { order_id: f.order }.into())
            .done(Effect::event("payment_authorized").payment(PaymentStatus::Authorized))
            .refused(Effect::event("payment_failed").payment(PaymentStatus::Failed))
            .undone(Effect::event("payment_voided").payment(PaymentStatus::Voided))
            .rejects(Rejection::PaymentDeclined),
        // From here on the hold does not expire.
        inventory(StepId::PinStock, |f| PinStock { order_id: f.order }.into())
            .undo(|f| UnpinStock { order_id: f.order }.into()),
        // The card is charged; from here on, nothing is undone.
        payments(StepId::CapturePayment, |f| {
            CapturePayment { order_id: f.order }.into()
        })
        .pivot()
        .done(Effect::event("payment_captured").payment(PaymentStatus::Captured))
        .rejects(Rejection::PaymentDeclined),
        inventory(StepId::CommitStock, |f| CommitStock { order_id: f.order }.into()),
        local(StepId::ConfirmOrder).done(Effect::event("order_confirmed").order(OrderStatus::Confirmed)),
    ],
)
.checks_out();

/// The saga that refunds returned items and adds them to the stock again.
pub const RETURN: Saga = Saga::new(
    "return",
    &[
        payments(StepId::RefundPayment, refund)
            .pivot()
            .done(Effect::event("payment_refunded").returned(ReturnStatus::Refunded))
            .refused(Effect::event("return_refused").returned(ReturnStatus::Refused)),
        inventory(StepId::RestockItems, restock),
        local(StepId::CompleteReturn)
            .done(Effect::event("return_completed").returned(ReturnStatus::Completed)),
    ],
);

/// Every saga that a row of `sagas` may name.
pub const ALL: [&Saga; 2] = [&CHECKOUT, &RETURN];

/// Finds the saga with a stored name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Saga> {
    ALL.into_iter().find(|saga| saga.name == name)
}

fn reserve(f: &Facts) -> Command {
    ReserveStock {
        order_id: f.order,
        items: f.items.clone(),
        hold_seconds: HOLD_SECONDS,
    }
    .into()
}

fn authorize(f: &Facts) -> Command {
    AuthorizePayment {
        order_id: f.order,
        payment_id: f.payment,
        user_id: f.user,
        amount: f.amount,
        payment_method: f.payment_method.clone(),
    }
    .into()
}

fn refund(f: &Facts) -> Command {
    RefundPayment {
        order_id: f.order,
        return_id: f.return_id(),
        amount: f.amount,
        reason: f.reason.clone(),
    }
    .into()
}

fn restock(f: &Facts) -> Command {
    RestockItems {
        order_id: f.order,
        return_id: f.return_id(),
        items: f.items.clone(),
    }
    .into()
}
