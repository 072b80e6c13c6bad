//! How commands are sent: through the outbox, in the statement that saves the move.

use std::fmt::Debug;

use messaging::Outgoing;

/// Decides how a command enters the outbox.
pub trait Dispatcher: Debug + Send + Sync {
    /// The number of copies to put into the outbox.
    fn copies(&self, command: &Outgoing) -> u16;
}

/// Sends every command once. In demo mode the fault switches take its place, see `faults/wrappers.rs`.
#[derive(Debug, Clone, Copy)]
pub struct SendOnce;

impl Dispatcher for SendOnce {
    fn copies(&self, _command: &Outgoing) -> u16 {
        1
    }
}
