//! What a saga is made of. The constructors are `const`, and [`Saga::new`] refuses a table that is not
//! *undoable\* pivot retriable\**: an ill-ordered saga does not compile.

use contracts::{
    Money, OrderId, OrderItem, PaymentId, ReturnId, SagaId, UserId,
    saga::{Command, queues},
};
use serde::{Deserialize, Serialize};

/// All that commands of a saga speak of; kept with it from its first step to its last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Whose work it is.
    pub order: OrderId,
    /// The saga; a return's is the return.
    pub saga: SagaId,
    /// Who pays.
    pub user: UserId,
    /// The id that the payment gets.
    pub payment: PaymentId,
    /// The provider's token.
    pub payment_method: String,
    /// To be taken, or to be given back.
    pub amount: Money,
    /// To be sold, or taken back; each SKU once.
    pub items: Vec<OrderItem>,
    /// Why goods come back; empty for a checkout.
    pub reason: String,
}

impl Facts {
    /// The return that this saga is.
    #[must_use]
    pub fn return_id(&self) -> ReturnId {
        ReturnId(self.saga.0)
    }
}

/// Makes a command of the facts.
pub type Make = fn(&Facts) -> Command;

/// What may happen when a step has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It can be undone.
    Undoable,
    /// There is no way back after it.
    Pivot,
    /// It follows the pivot and is asked for until it is done.
    Retriable,
}

/// One step of a saga.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Unique in its saga, and stored: never renamed while a saga lives.
    pub name: &'static str,
    /// What may happen when it has run.
    pub kind: Kind,
    queue: &'static str,
    make: Option<Make>,
    undo: Option<Make>,
}

/// A step that inventory performs.
#[must_use]
pub const fn inventory(name: &'static str, make: Make) -> Step {
    Step::new(name, queues::INVENTORY, Some(make))
}

/// A step that payments performs.
#[must_use]
pub const fn payments(name: &'static str, make: Make) -> Step {
    Step::new(name, queues::PAYMENTS, Some(make))
}

/// A step of our own, done in the transaction of the reply before it.
#[must_use]
pub const fn local(name: &'static str) -> Step {
    Step::new(name, queues::ORDERS, None)
}

impl Step {
    const fn new(name: &'static str, queue: &'static str, make: Option<Make>) -> Self {
        Self {
            name,
            kind: Kind::Retriable,
            queue,
            make,
            undo: None,
        }
    }

    /// Can be undone, by this command.
    #[must_use]
    pub const fn undo(self, undo: Make) -> Self {
        Self {
            kind: Kind::Undoable,
            undo: Some(undo),
            ..self
        }
    }

    /// Is the point of no return.
    #[must_use]
    pub const fn pivot(self) -> Self {
        Self {
            kind: Kind::Pivot,
            ..self
        }
    }

    /// The queue that its commands are sent to.
    #[must_use]
    pub const fn queue(&self) -> &'static str {
        self.queue
    }

    /// Who performs it.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.queue.split('.').next().unwrap_or(self.queue)
    }

    /// Whether no message is needed.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.make.is_none()
    }

    pub(super) const fn command(&self, undo: bool) -> Option<Make> {
        if undo { self.undo } else { self.make }
    }
}

/// A saga: its name and its steps in order.
#[derive(Debug, Clone, Copy)]
pub struct Saga {
    /// Stored with every run of it.
    pub name: &'static str,
    /// In order.
    pub steps: &'static [Step],
}

impl Saga {
    /// A saga of these steps.
    ///
    /// # Panics
    /// Unless the steps are *undoable\* pivot retriable\**, and every step but those after the pivot is performed by a
    /// participant. In a `const` that is a compile error.
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
        Self { name, steps }
    }

    /// Where the step of this name stands.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.name == name)
    }
}
