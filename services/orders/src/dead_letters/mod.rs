//! Messages that no attempt could handle: kept for an operator, with their saga parked.

pub mod bury;
pub mod delete_dead_letter;
pub mod list_dead_letters;
pub mod redrive_dead_letter;

/// The reason that stands for one that was not given.
const NO_REASON: &str = "no reason given";
