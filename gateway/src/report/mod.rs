//! What operators see of the gateway: the figures that it collects about recent requests, and the responses of its own
//! administrative endpoints, with their JSON Schema for the API document.

mod config;
mod routes;
mod traffic;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

pub use config::{Attempt, ConfigReport, Source};
pub use routes::{
    ActionKind, ActionReport, LimitReport, MatchReport, PolicyReport, QuotaReport, QuotaRule, RouteReport,
    RoutesReport,
};
pub use traffic::{Counts, Figures, Traffic, WINDOW_SECONDS};

/// The JSON Schema of a response, without references to other schemas.
#[must_use]
pub fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema.into()
}
