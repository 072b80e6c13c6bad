//! Messages that their receiver could not handle. They are stored for an operator, and the saga that awaits one is parked.

pub mod consumer;
pub mod delete_dead_letter;
pub mod list_dead_letters;
pub mod redrive_dead_letter;

/// The reason that is stored if the operator gives none.
const NO_REASON: &str = "no reason given";
