//! The state and every route of the service.

use axum::{
    Json, Router,
    extract::FromRef,
    routing::{get, post},
};
use souk_http::auth::Verifier;
use sqlx::PgPool;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{notices, sales};

/// What handlers share.
#[derive(Debug, Clone)]
pub struct App {
    /// The service's database.
    pub pool: PgPool,
    /// Of access tokens.
    pub verifier: Verifier,
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

/// Every route.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/notifications", get(notices::list::list_notifications))
        .route(
            "/v1/notifications/read",
            post(notices::read::read_all_notifications),
        )
        .route(
            "/v1/notifications/{id}/read",
            post(notices::read::read_notification),
        )
        .route("/v1/admin/sales", get(sales::get::get_sales))
        .route("/openapi.json", get(|| async { Json(openapi()) }))
        .with_state(app)
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Souk notifications", description = "What shoppers are told, and how sales go."),
    paths(
        notices::list::list_notifications,
        notices::read::read_all_notifications,
        notices::read::read_notification,
        sales::get::get_sales,
    ),
    modifiers(&Bearer)
)]
struct ApiDoc;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    ApiDoc::openapi()
}
