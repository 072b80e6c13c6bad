//! The entries of a saga's log, from which `timeline.rs` builds the timeline that people see.

use contracts::{CommandId, UserId};
use serde::Serialize;

use super::{engine::Direction, table::StepId};
use crate::stored::stored_enum;

stored_enum! {
    /// The kind of an entry in a saga's log.
    LogOutcome {
        /// The command was put into the outbox.
        Sent = "sent",
        /// The step, or its undo, is done.
        Done = "done",
        /// The participant refused the step.
        Refused = "refused",
        /// The saga no longer waits for a reply; the step may have been performed.
        Silent = "silent",
        /// The saga waits for an operator.
        Parked = "parked",
        /// An operator sent the command again.
        Retried = "retried",
        /// An operator decided to undo the saga.
        Compensated = "compensated",
        /// An operator decided how a parked step ended.
        Resolved = "resolved",
        /// An operator sent a dead letter again.
        Redriven = "redriven",
    }
}

/// An entry of a saga's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// The step that the entry is about.
    pub step: StepId,
    /// Whether the step is performed or undone.
    pub direction: Direction,
    /// The command that the entry is about; none for a local step.
    pub command_id: Option<CommandId>,
    /// The kind of the entry.
    pub outcome: LogOutcome,
    /// A code for the cause, or an operator's reason.
    pub reason: Option<String>,
    /// The cause in words.
    pub detail: Option<String>,
    /// The operator who acted.
    pub actor: Option<UserId>,
}
