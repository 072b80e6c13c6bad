//! The state and every route of the provider.

use std::sync::Arc;

use axum::{
    Json, Router, middleware,
    routing::{get, post},
};
use souk_config::SecretString;
use sqlx::PgPool;
use tokio::sync::Notify;
use utoipa::OpenApi;

use crate::{auth, balance, intents, refunds};

/// What the handlers share.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) pool: PgPool,
    pub(crate) api_key: SecretString,
    /// Told when an event was written, so that the deliverer need not wait for its next look.
    pub(crate) event_written: Arc<Notify>,
}

impl App {
    /// Over the provider's database, for one merchant.
    #[must_use]
    pub fn new(pool: PgPool, api_key: SecretString) -> Self {
        Self {
            pool,
            api_key,
            event_written: Arc::new(Notify::new()),
        }
    }
}

/// Every route.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/v1/payment_intents", post(intents::create::create_intent))
        .route("/v1/payment_intents/{id}", get(intents::get::get_intent))
        .route(
            "/v1/payment_intents/{id}/capture",
            post(intents::capture::capture_intent),
        )
        .route(
            "/v1/payment_intents/{id}/cancel",
            post(intents::cancel::cancel_intent),
        )
        .route("/v1/refunds", post(refunds::create_refund))
        .route(
            "/v1/balance_transactions",
            get(balance::list_balance_transactions),
        )
        .route_layer(middleware::from_fn_with_state(app.clone(), auth::require_key))
        .route("/openapi.json", get(|| async { Json(openapi()) }))
        .with_state(app)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Payment provider",
        description = "A stand-in for an outside payment provider. Magic payment methods make it misbehave."
    ),
    paths(
        intents::create::create_intent,
        intents::get::get_intent,
        intents::capture::capture_intent,
        intents::cancel::cancel_intent,
        refunds::create_refund,
        balance::list_balance_transactions,
    ),
    components(schemas(crate::error::ErrorBody))
)]
struct ApiDoc;

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    ApiDoc::openapi()
}
