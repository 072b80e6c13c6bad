//! What operators see of the sagas and may do to them. Every action is logged with who did it and why.

mod figures;
pub mod get_metrics_summary;
pub mod get_saga;
pub mod list_sagas;
pub mod steer_saga;

use serde::Deserialize;
use utoipa::ToSchema;

/// Why an operator acts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// For the log, 1 to 500 characters.
    pub reason: String,
}
