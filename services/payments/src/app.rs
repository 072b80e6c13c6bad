//! The state and every route of the service.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::FromRef,
    routing::{get, post},
};
use messaging::outbox::Outbox;
use souk_config::SecretString;
use souk_http::{auth::Verifier, openapi::Bearer};
use sqlx::PgPool;
use utoipa::OpenApi;

use crate::{methods, payment, provider::Provider, refunds, webhooks};

/// What handlers and workers share.
#[derive(Clone)]
pub struct App {
    /// The service's database.
    pub pool: PgPool,
    /// The outside provider.
    pub provider: Provider,
    /// Sends what was committed.
    pub outbox: Outbox,
    /// Of access tokens.
    pub verifier: Verifier,
    /// The provider signs its events with one of them.
    pub webhook_secrets: Arc<[SecretString]>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

/// Every route.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/payments", get(payment::list::list_payments))
        .route("/v1/payments/{id}", get(payment::get::get_payment))
        .route("/v1/payments/{id}/refunds", post(refunds::create::create_refund))
        .route("/v1/payment-methods", get(methods::list_payment_methods))
        .route("/v1/webhooks/psp", post(webhooks::receive::receive_webhook))
        .route("/openapi.json", get(|| async { Json(openapi()) }))
        .with_state(app)
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Souk payments", description = "Payments of orders, and refunds."),
    paths(
        payment::list::list_payments,
        payment::get::get_payment,
        refunds::create::create_refund,
        methods::list_payment_methods,
        webhooks::receive::receive_webhook,
    ),
    modifiers(&Bearer)
)]
struct ApiDoc;

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    ApiDoc::openapi()
}
