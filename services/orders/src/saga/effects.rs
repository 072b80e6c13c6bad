//! What the steps of a saga mean for its order: the one place where a reply becomes a status that people see.

use crate::orders::{FulfilmentStatus, OrderStatus, PaymentStatus};

use super::engine::{Direction, Heard};

/// Changes of an order's row, and the event that tells of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Type of an event that is told before that one, because both happened in one move.
    pub before: Option<&'static str>,
    /// Type of the event.
    pub event: &'static str,
    /// If it changes.
    pub status: Option<OrderStatus>,
    /// If it changes.
    pub payment: Option<PaymentStatus>,
    /// If it changes.
    pub fulfilment: Option<FulfilmentStatus>,
}

impl Change {
    /// The saga moves, and the order stays as it is.
    pub const NONE: Self = Self {
        before: None,
        event: "saga_progressed",
        status: None,
        payment: None,
        fulfilment: None,
    };
}

/// Of what was heard about a step.
#[must_use]
pub fn of(step: &str, direction: Direction, heard: Heard) -> Change {
    match (step, direction, heard) {
        ("reserve_stock", Direction::Do, Heard::Done) => {
            fulfilment("stock_reserved", FulfilmentStatus::Reserved)
        }
        ("reserve_stock", Direction::Undo, Heard::Done) => {
            fulfilment("stock_released", FulfilmentStatus::Cancelled)
        }
        ("authorize_payment", Direction::Do, Heard::Done) => {
            payment("payment_authorized", PaymentStatus::Authorized)
        }
        ("authorize_payment", Direction::Do, Heard::Refused) => {
            payment("payment_failed", PaymentStatus::Failed)
        }
        ("authorize_payment", Direction::Undo, Heard::Done) => {
            payment("payment_voided", PaymentStatus::Voided)
        }
        ("capture_payment", Direction::Do, Heard::Done) => {
            payment("payment_captured", PaymentStatus::Captured)
        }
        ("confirm_order", Direction::Do, Heard::Done) => Change {
            event: "order_confirmed",
            status: Some(OrderStatus::Confirmed),
            ..Change::NONE
        },
        _ => Change::NONE,
    }
}

/// How a checkout that was undone ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// [`OrderStatus::Rejected`] or [`OrderStatus::Cancelled`].
    pub status: OrderStatus,
    /// For the order.
    pub reason: String,
}

impl Ending {
    /// Because a step was refused or never answered.
    #[must_use]
    pub fn rejected(step: &str, heard: Heard) -> Self {
        let reason = match (step, heard) {
            ("reserve_stock", Heard::Refused) => "out_of_stock",
            ("authorize_payment" | "capture_payment", Heard::Refused) => "payment_declined",
            // A hold that expired is time that ran out, too.
            _ => "timeout",
        };
        Self {
            status: OrderStatus::Rejected,
            reason: reason.to_owned(),
        }
    }

    /// Because somebody wanted it.
    #[must_use]
    pub fn cancelled(reason: impl Into<String>) -> Self {
        Self {
            status: OrderStatus::Cancelled,
            reason: reason.into(),
        }
    }

    /// Its change; the goods will not be sent, whether or not they were ever held.
    #[must_use]
    pub fn change(&self) -> Change {
        Change {
            before: None,
            event: if self.status == OrderStatus::Cancelled {
                "order_cancelled"
            } else {
                "order_rejected"
            },
            status: Some(self.status),
            payment: None,
            fulfilment: Some(FulfilmentStatus::Cancelled),
        }
    }
}

impl Change {
    /// This, and then `next`. There are never three that tell of something.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        let (before, event) = match (self.event, next.event) {
            (event, "saga_progressed") => (self.before, event),
            ("saga_progressed", event) => (next.before, event),
            (first, event) => (Some(first), event),
        };
        Self {
            before,
            event,
            status: next.status.or(self.status),
            payment: next.payment.or(self.payment),
            fulfilment: next.fulfilment.or(self.fulfilment),
        }
    }
}

const fn payment(event: &'static str, to: PaymentStatus) -> Change {
    Change {
        event,
        payment: Some(to),
        ..Change::NONE
    }
}

const fn fulfilment(event: &'static str, to: FulfilmentStatus) -> Change {
    Change {
        event,
        fulfilment: Some(to),
        ..Change::NONE
    }
}
