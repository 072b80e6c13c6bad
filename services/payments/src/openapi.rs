//! The OpenAPI document, generated from the handlers' annotations.

use axum::Json;
use souk_http::openapi::Common;
use utoipa::OpenApi;

use crate::{payment, payment_methods, refunds, webhooks};

/// The OpenAPI document of the payments API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Souk payments", description = "Payments of orders and their refunds. Amounts are in minor units (cents for EUR)."),
    paths(
        payment::list_payments::list_payments,
        payment::get_payment::get_payment,
        refunds::create_refund::create_refund,
        payment_methods::list_payment_methods::list_payment_methods,
        webhooks::receive_webhook::receive_webhook,
    ),
    modifiers(&Common)
)]
pub struct Document;

/// Serves the OpenAPI document at `GET /openapi.json`.
pub(crate) async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
