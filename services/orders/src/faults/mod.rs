//! The fault switches of the demo: what an operator can break for some minutes, to watch how the sagas recover. The
//! switches wrap what leaves and enters this service (`wrappers.rs`), so the rest of the code does not know about them.
//! Outside demo mode every switch is off and cannot be set.

pub mod list_active_faults;
pub mod list_faults;
pub mod set_fault;
mod store;
mod switches;
mod wrappers;

pub use switches::Faults;
pub use wrappers::{Quotes, Replies};

use crate::stored::stored_enum;

stored_enum! {
    /// A fault that can be switched on.
    Fault {
        /// Commands to inventory are lost.
        InventoryUnreachable = "inventory_unreachable",
        /// Commands to payments are lost.
        PaymentsUnreachable = "payments_unreachable",
        /// Every command is sent three times.
        CommandsDuplicated = "commands_duplicated",
        /// Replies are acknowledged without being handled.
        RepliesLost = "replies_lost",
        /// Placing an order finds no prices.
        QuotesUnavailable = "quotes_unavailable",
    }
}

impl Fault {
    /// A title for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::InventoryUnreachable => "Inventory is unreachable",
            Self::PaymentsUnreachable => "Payments is unreachable",
            Self::CommandsDuplicated => "Commands arrive three times",
            Self::RepliesLost => "Replies are lost",
            Self::QuotesUnavailable => "Prices are unavailable",
        }
    }

    /// What the fault does, and what can be observed while it is on.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::InventoryUnreachable => {
                "Commands to inventory are lost. Sagas resend them, and before the pivot give up after two minutes."
            }
            Self::PaymentsUnreachable => {
                "Commands to payments are lost. Sagas resend them, and before the pivot give up after two minutes."
            }
            Self::CommandsDuplicated => {
                "Every command is sent three times. Nothing may be reserved or charged more than once."
            }
            Self::RepliesLost => {
                "Replies are acknowledged without being handled. Commands are resent, and participants repeat their replies."
            }
            Self::QuotesUnavailable => "No order can be placed: the answer is 503, and the cart is kept.",
        }
    }
}
