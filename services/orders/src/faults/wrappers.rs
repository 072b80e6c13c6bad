//! What the fault switches wrap in demo mode: the sending of commands, the handling of replies, and the quotes. The
//! wrapped code does not know about them.

use std::time::Duration;

use contracts::{
    OrderItem,
    saga::{Message as _, Reply, queues},
};
use messaging::{HandleError, Handler, Incoming, Outgoing};
use tracing::warn;

use super::{Fault, Faults};
use crate::{
    inventory::{Inventory, Quote, QuoteError},
    saga::dispatch::Dispatcher,
};

/// How often a duplicated command is sent.
const COPIES: u16 = 3;

impl Dispatcher for Faults {
    fn copies(&self, command: &Outgoing) -> u16 {
        let is_lost = match command.queue.as_str() {
            queues::INVENTORY => self.has(Fault::InventoryUnreachable),
            queues::PAYMENTS => self.has(Fault::PaymentsUnreachable),
            _ => false,
        };
        if is_lost {
            warn!(kind = command.kind, saga_id = %command.correlation_id, "a fault switch loses a command");
            0
        } else if self.has(Fault::CommandsDuplicated) {
            COPIES
        } else {
            1
        }
    }
}

/// A handler that loses replies while [`Fault::RepliesLost`] is on. The participant repeats the reply when the command is resent.
#[derive(Debug, Clone)]
pub struct Replies<H> {
    handler: H,
    faults: Faults,
}

impl<H> Replies<H> {
    /// Wraps `handler`, which receives every reply that is not lost.
    #[must_use]
    pub fn new(handler: H, faults: Faults) -> Self {
        Self { handler, faults }
    }
}

impl<H: Handler> Handler for Replies<H> {
    const KINDS: &'static [&'static str] = H::KINDS;
    const DEAD_LETTER_RETRY_DELAY: Duration = H::DEAD_LETTER_RETRY_DELAY;

    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        if message.kind == Reply::KIND && self.faults.has(Fault::RepliesLost) {
            warn!(saga_id = %message.correlation_id, "a fault switch loses a reply");
            return Ok(());
        }
        self.handler.handle(message).await
    }
}

/// A client of inventory that fails while [`Fault::QuotesUnavailable`] is on.
#[derive(Debug, Clone)]
pub struct Quotes {
    inventory: Inventory,
    faults: Faults,
}

impl Quotes {
    /// Wraps `inventory`, which is called unless the fault is on.
    #[must_use]
    pub fn new(inventory: Inventory, faults: Faults) -> Self {
        Self { inventory, faults }
    }

    /// Returns the names and the prices of `items`, see [`Inventory::quote`].
    pub async fn quote(&self, items: &[OrderItem]) -> Result<Quote, QuoteError> {
        if self.faults.has(Fault::QuotesUnavailable) {
            return Err(QuoteError::Unavailable(None));
        }
        self.inventory.quote(items).await
    }
}
