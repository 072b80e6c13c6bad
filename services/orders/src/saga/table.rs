//! The vocabulary in which a saga is declared as a table: steps, their commands, and what each outcome means for the order.
//!
//! The constructors are `const`, and [`Saga::new`] rejects a table that is not *undoable\* pivot retriable\**, so an
//! ill-ordered saga does not compile. A new step is a variant of [`StepId`] and an entry in `checkout.rs`.

use contracts::{
    Money, OrderId, OrderItem, PaymentId, ReturnId, SagaId, UserId,
    saga::{Command, queues},
};
use serde::{Deserialize, Serialize};

use crate::{
    orders::{FulfilmentStatus, OrderStatus, PaymentStatus, ReturnStatus},
    stored::stored_enum,
};

stored_enum! {
    /// Identifies a step of a saga. Its word is stored in `sagas` and `saga_log`, is part of every command id, and is shown
    /// in the API; so it must not change while a saga with this step may still be active.
    StepId {
        /// Inventory holds the ordered items for a limited time.
        ReserveStock = "reserve_stock",
        /// Payments reserves the amount on the shopper's card.
        AuthorizePayment = "authorize_payment",
        /// Inventory keeps the held items without a time limit.
        PinStock = "pin_stock",
        /// Payments charges the card.
        CapturePayment = "capture_payment",
        /// Inventory removes the held items from stock, because they are sold.
        CommitStock = "commit_stock",
        /// Orders confirms the order.
        ConfirmOrder = "confirm_order",
        /// Payments refunds the returned items.
        RefundPayment = "refund_payment",
        /// Inventory adds the returned items to the stock.
        RestockItems = "restock_items",
        /// Orders completes the return.
        CompleteReturn = "complete_return",
    }
}

/// The data that the commands of a saga are built from. It is stored with the saga and never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The order that the saga works on.
    pub order: OrderId,
    /// The id of the saga: a checkout has its order's id, a return's saga has the return's id.
    pub saga: SagaId,
    /// The shopper who pays or is refunded.
    pub user: UserId,
    /// The id of the order's payment, chosen when the order was placed.
    pub payment: PaymentId,
    /// The provider's token for the payment method, such as `pm_card_ok`.
    pub payment_method: String,
    /// The amount to charge, or to refund.
    pub amount: Money,
    /// The items to sell, or to take back; each SKU occurs once.
    pub items: Vec<OrderItem>,
    /// The shopper's reason for a return; empty for a checkout.
    pub reason: String,
}

impl Facts {
    /// The return that the saga works on. Meaningful only for the saga of a return.
    #[must_use]
    pub fn return_id(&self) -> ReturnId {
        ReturnId(self.saga.0)
    }
}

/// Builds a command from a saga's facts.
pub type MakeCommand = fn(&Facts) -> Command;

/// A service that performs steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Participant {
    /// Holds, sells and restocks items.
    Inventory,
    /// Authorizes, captures, voids and refunds payments.
    Payments,
    /// This service. Its steps need no message: they are part of the move that reaches them.
    Orders,
}

impl Participant {
    /// The name of the service.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Payments => "payments",
            Self::Orders => "orders",
        }
    }

    /// The queue from which the service receives its commands.
    #[must_use]
    pub const fn queue(self) -> &'static str {
        match self {
            Self::Inventory => queues::INVENTORY,
            Self::Payments => queues::PAYMENTS,
            Self::Orders => queues::ORDERS,
        }
    }
}

/// Whether a step can be undone, which decides what happens when it is refused or not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The step can be undone; it comes before the pivot.
    Undoable,
    /// The point of no return: once its command is sent, the saga can only go forward, unless the step is refused.
    Pivot,
    /// The step follows the pivot and is retried until it is done.
    Retriable,
}

stored_enum! {
    /// Why a checkout rejects its order; stored and shown as the order's `reason`.
    Rejection {
        /// An item was not available in the ordered quantity.
        OutOfStock = "out_of_stock",
        /// The provider declined the payment.
        PaymentDeclined = "payment_declined",
        /// The checkout did not reach its pivot in time; also when the hold of its items expired.
        Timeout = "timeout",
    }
}

/// What an outcome of a step changes about the order, and about the return if the saga belongs to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// The type of the order event that reports the outcome; none if only the saga's progress is reported.
    pub event: Option<&'static str>,
    /// The order's new status, if it changes.
    pub status: Option<OrderStatus>,
    /// The payment's new status, if it changes.
    pub payment: Option<PaymentStatus>,
    /// The new status of the order's items, if it changes.
    pub fulfilment: Option<FulfilmentStatus>,
    /// The return's new status, if it changes. `Refunded` also raises the order's refunded amount, and `Completed` makes the
    /// order `returned` when no item is left.
    pub return_status: Option<ReturnStatus>,
}

impl Effect {
    /// Changes nothing about the order.
    pub const NONE: Self = Self {
        event: None,
        status: None,
        payment: None,
        fulfilment: None,
        return_status: None,
    };

    /// Publishes an order event of this type; the other constructors add what changes.
    #[must_use]
    pub const fn event(event: &'static str) -> Self {
        Self {
            event: Some(event),
            ..Self::NONE
        }
    }

    /// Also changes the order's status.
    #[must_use]
    pub const fn order(self, to: OrderStatus) -> Self {
        Self {
            status: Some(to),
            ..self
        }
    }

    /// Also changes the payment's status.
    #[must_use]
    pub const fn payment(self, to: PaymentStatus) -> Self {
        Self {
            payment: Some(to),
            ..self
        }
    }

    /// Also changes the status of the order's items.
    #[must_use]
    pub const fn fulfilment(self, to: FulfilmentStatus) -> Self {
        Self {
            fulfilment: Some(to),
            ..self
        }
    }

    /// Also changes the return's status.
    #[must_use]
    pub const fn returned(self, to: ReturnStatus) -> Self {
        Self {
            return_status: Some(to),
            ..self
        }
    }
}

/// One step of a saga: who performs it, with which command, how it is undone, and what its outcomes mean.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Identifies the step; unique among all sagas.
    pub id: StepId,
    /// The service that performs the step.
    pub participant: Participant,
    /// Whether the step can be undone.
    pub kind: Kind,
    /// Builds the command that performs the step; none for a step of orders itself.
    pub command: Option<MakeCommand>,
    /// Builds the command that undoes the step.
    pub undo: Option<MakeCommand>,
    /// The effect when the step is done.
    pub done: Effect,
    /// The effect when the step is refused.
    pub refused: Effect,
    /// The effect when the step is undone.
    pub undone: Effect,
    /// Why the order is rejected when this step is refused.
    pub rejection: Rejection,
}

/// Declares a step that inventory performs.
#[must_use]
pub const fn inventory(id: StepId, command: MakeCommand) -> Step {
    Step::new(id, Participant::Inventory, Some(command))
}

/// Declares a step that payments performs.
#[must_use]
pub const fn payments(id: StepId, command: MakeCommand) -> Step {
    Step::new(id, Participant::Payments, Some(command))
}

/// Declares a step that orders performs itself, in the move that reaches it.
#[must_use]
pub const fn local(id: StepId) -> Step {
    Step::new(id, Participant::Orders, None)
}

impl Step {
    const fn new(id: StepId, participant: Participant, command: Option<MakeCommand>) -> Self {
        Self {
            id,
            participant,
            kind: Kind::Retriable,
            command,
            undo: None,
            done: Effect::NONE,
            refused: Effect::NONE,
            undone: Effect::NONE,
            rejection: Rejection::Timeout,
        }
    }

    /// The step can be undone by this command.
    #[must_use]
    pub const fn undo(self, undo: MakeCommand) -> Self {
        Self {
            kind: Kind::Undoable,
            undo: Some(undo),
            ..self
        }
    }

    /// The step is the point of no return.
    #[must_use]
    pub const fn pivot(self) -> Self {
        Self {
            kind: Kind::Pivot,
            ..self
        }
    }

    /// Sets the effect of the step's success.
    #[must_use]
    pub const fn done(self, done: Effect) -> Self {
        Self { done, ..self }
    }

    /// Sets the effect of the step's refusal.
    #[must_use]
    pub const fn refused(self, refused: Effect) -> Self {
        Self { refused, ..self }
    }

    /// Sets the effect of the step's undo.
    #[must_use]
    pub const fn undone(self, undone: Effect) -> Self {
        Self { undone, ..self }
    }

    /// Sets why the order is rejected when the step is refused.
    #[must_use]
    pub const fn rejects(self, rejection: Rejection) -> Self {
        Self { rejection, ..self }
    }

    /// Whether orders performs the step itself, so that no command is sent.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.command.is_none()
    }
}

/// A saga: its name and its steps in order.
#[derive(Debug, Clone, Copy)]
pub struct Saga {
    /// The name that is stored with every run of the saga.
    pub name: &'static str,
    /// The steps in the order in which they are performed.
    pub steps: &'static [Step],
    /// Whether the order ends, as rejected or cancelled, when this saga is undone.
    pub ends_order: bool,
    /// Whether a new run waits for a free place in flight, see `admission.rs`.
    pub waits_for_place: bool,
}

impl Saga {
    /// Declares a saga with these steps.
    ///
    /// # Panics
    /// Panics unless the steps are *undoable\* pivot retriable\**, and every step up to the pivot is performed by another
    /// service. In a `const` the panic is a compile error.
    #[must_use]
    pub const fn new(name: &'static str, steps: &'static [Step]) -> Self {
        let (mut index, mut passed) = (0, false);
        while index < steps.len() {
            let step = &steps[index];
            match step.kind {
                Kind::Undoable => assert!(!passed, "a step after the pivot cannot be undone"),
                Kind::Pivot => {
                    assert!(!passed, "a saga has one pivot");
                    passed = true;
                }
                Kind::Retriable => assert!(passed, "a step before the pivot must be undoable"),
            }
            assert!(
                passed || !step.is_local(),
                "a step before the pivot is a participant's"
            );
            index += 1;
        }
        assert!(passed, "a saga has a pivot");
        Self {
            name,
            steps,
            ends_order: false,
            waits_for_place: false,
        }
    }

    /// The saga is the checkout of an order: undoing it ends the order, and a new one waits while too many are in flight.
    #[must_use]
    pub const fn checks_out(self) -> Self {
        Self {
            ends_order: true,
            waits_for_place: true,
            ..self
        }
    }

    /// The index of a step in [`Self::steps`]; none if the step belongs to another saga.
    #[must_use]
    pub fn index_of(&self, step: StepId) -> Option<usize> {
        self.steps.iter().position(|candidate| candidate.id == step)
    }
}
