//! Operations for operators: the summary of sales, and reading and steering sagas. Every action is logged with the operator
//! and the reason.

mod figures;
pub mod get_metrics_summary;
pub mod get_saga;
pub mod list_sagas;
pub mod steer_saga;

use serde::Deserialize;
use utoipa::ToSchema;

/// The reason for an operator's action.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionReason {
    /// Reason for the log: 1 to 500 characters, not counting leading and trailing white space.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00]*[^\s\x00][^\x00]*$",
        example = "The participant was down; see ticket 7."
    )]
    pub reason: String,
}
