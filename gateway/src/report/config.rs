//! The response of `GET /v1/admin/config`.

use schemars::JsonSchema;
use serde::Serialize;

/// Where a configuration comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The start of the process.
    Start,
    /// A change of the file.
    File,
    /// The signal SIGHUP, which reads the file again.
    Signal,
    /// A request of an operator.
    Api,
    /// The labels of containers.
    Labels,
}

/// The configuration in force, and the last attempts to change it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConfigReport {
    /// The attempt that applied the configuration in force.
    pub current: Attempt,
    /// The last attempts to change the configuration, newest first; at most 20.
    pub last_attempts: Vec<Attempt>,
}

/// An attempt to change the configuration. It was either applied or refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Attempt {
    /// When the attempt was made.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// Where the configuration came from.
    pub source: Source,
    /// SHA-256 of the configuration that was applied; null if it was refused.
    pub digest: Option<String>,
    /// Why the configuration was refused, with the line and column of the error if it has a position; null if it was
    /// applied.
    pub error: Option<String>,
}
