//! The OpenAPI document, from the handlers themselves.

use axum::Json;
use souk_http::openapi::Bearer;
use utoipa::OpenApi;

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Souk auditor", description = "What must always hold, over all databases."),
    paths(crate::get_audit::get_audit, crate::list_outboxes::list_outboxes),
    modifiers(&Bearer),
    tags((name = "audit", description = "The invariants, and what waits to be sent")),
)]
pub struct Document;

/// `GET /openapi.json`.
pub(crate) async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
