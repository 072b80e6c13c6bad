//! The OpenAPI document, from the handlers themselves.

use axum::Json;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Souk auditor", description = "What must always hold, over all databases."),
    paths(crate::get_audit::get_audit, crate::list_outboxes::list_outboxes),
    modifiers(&Bearer),
    tags((name = "audit", description = "The invariants, and what waits to be sent")),
)]
pub struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// `GET /openapi.json`.
pub(crate) async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
