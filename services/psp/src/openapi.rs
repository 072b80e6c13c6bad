//! The OpenAPI document, generated from the handlers' annotations.

use axum::Json;
use utoipa::OpenApi;

use crate::{balance, error::ErrorBody, intents, refunds};

/// The OpenAPI document of the provider's API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Payment provider",
        description = "A simulated external payment provider. Send the API key as `Authorization: Bearer <key>`. \
            Magic payment methods, such as `pm_card_declined`, make it fail on purpose."
    ),
    paths(
        intents::create_intent::create_intent,
        intents::get_intent::get_intent,
        intents::capture_intent::capture_intent,
        intents::cancel_intent::cancel_intent,
        refunds::create_refund::create_refund,
        balance::list_balance_transactions::list_balance_transactions,
    ),
    components(schemas(ErrorBody))
)]
pub struct Document;

/// Serves the OpenAPI document at `GET /openapi.json`.
pub(crate) async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
