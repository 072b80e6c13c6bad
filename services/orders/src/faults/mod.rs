//! The fault switches of the demo: what an operator can break for some minutes, to see the sagas cope. They act only at
//! orders' own edges, where a command leaves, a reply arrives or a price is asked for. Outside demo mode there are none,
//! and asking for one costs nothing.

pub mod list_active_faults;
pub mod list_faults;
pub mod set_fault;
mod store;
mod switches;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use switches::Faults;
pub(crate) use switches::Sending;

/// What can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Commands to inventory are lost.
    InventoryUnreachable,
    /// Commands to payments are lost.
    PaymentsUnreachable,
    /// Every command is sent three times.
    CommandsDuplicated,
    /// Replies are taken and not read.
    RepliesLost,
    /// Placing an order finds no prices.
    QuotesUnavailable,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::InventoryUnreachable,
        Self::PaymentsUnreachable,
        Self::CommandsDuplicated,
        Self::RepliesLost,
        Self::QuotesUnavailable,
    ];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InventoryUnreachable => "inventory_unreachable",
            Self::PaymentsUnreachable => "payments_unreachable",
            Self::CommandsDuplicated => "commands_duplicated",
            Self::RepliesLost => "replies_lost",
            Self::QuotesUnavailable => "quotes_unavailable",
        }
    }

    /// In a few words.
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

    /// What it does, and what is to be seen of it.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::InventoryUnreachable => {
                "Commands to inventory are lost. Sagas send them again, and give up before the pivot after two minutes."
            }
            Self::PaymentsUnreachable => {
                "Commands to payments are lost. Sagas send them again, and give up before the pivot after two minutes."
            }
            Self::CommandsDuplicated => {
                "Every command is sent three times. Nothing may be reserved or charged more than once."
            }
            Self::RepliesLost => {
                "Replies are acknowledged without being read. Commands are sent again, and the stored replies with them."
            }
            Self::QuotesUnavailable => "No order can be placed: the answer is 503, and the cart is kept.",
        }
    }
}
