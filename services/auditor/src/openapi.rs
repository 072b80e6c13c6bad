//! The OpenAPI document, generated from the handlers' annotations.

use axum::Json;
use souk_http::openapi::Common;
use utoipa::OpenApi;

use crate::{audit, outboxes};

/// The OpenAPI document of the auditor's API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Souk auditor", description = "Checks the invariants that span Souk's databases."),
    paths(audit::get_audit::get_audit, outboxes::list_outboxes::list_outboxes),
    modifiers(&Common),
    tags((name = "audit", description = "Invariants and message outboxes, for administrators")),
)]
pub struct Document;

/// Serves the OpenAPI document at `GET /openapi.json`.
pub(crate) async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
