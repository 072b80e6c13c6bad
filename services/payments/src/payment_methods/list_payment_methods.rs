//! `GET /v1/payment-methods`: the magic payment methods of the simulated provider, which the storefront offers.

use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use souk_http::Json;
use utoipa::ToSchema;

/// A payment method that the storefront can offer, and what the simulated provider does with it.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct PaymentMethod {
    /// Token to send as `payment_method` when placing an order.
    #[schema(example = "pm_card_ok")]
    id: &'static str,
    /// Name to show to the shopper.
    #[schema(example = "Working card")]
    name: &'static str,
    /// What the provider does with this method.
    description: &'static str,
    /// Final status of an order that is paid with this method: `confirmed` or `rejected`.
    #[schema(example = "confirmed")]
    outcome: &'static str,
}

/// All payment methods that the storefront can offer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentMethods {
    /// The payment methods, in the order in which to show them.
    items: &'static [PaymentMethod],
}

const fn method(
    id: &'static str,
    name: &'static str,
    outcome: &'static str,
    description: &'static str,
) -> PaymentMethod {
    PaymentMethod {
        id,
        name,
        description,
        outcome,
    }
}

const METHODS: &[PaymentMethod] = &[
    method(
        "pm_card_ok",
        "Working card",
        "confirmed",
        "Authorization and capture succeed at once.",
    ),
    method(
        "pm_card_declined",
        "Declined card",
        "rejected",
        "The bank declines the authorization.",
    ),
    method(
        "pm_card_insufficient_funds",
        "Card without sufficient funds",
        "rejected",
        "The bank declines the authorization for lack of funds.",
    ),
    method(
        "pm_card_slow",
        "Slow card",
        "confirmed",
        "The authorization takes 3 seconds.",
    ),
    method(
        "pm_card_timeout_after_charge",
        "Card with a lost capture response",
        "confirmed",
        "The card is charged, but the response is lost. A retry with the same key finds the charge, so it is made once.",
    ),
    method(
        "pm_card_capture_declined",
        "Card declined at capture",
        "rejected",
        "The authorization succeeds, but the bank declines the capture: the items and the reserved amount are released.",
    ),
    method(
        "pm_card_flaky",
        "Flaky card",
        "confirmed",
        "The provider fails twice, then authorizes the payment.",
    ),
];

/// List payment methods
///
/// Lists the test cards of the simulated payment provider. The response can be cached for five minutes.
#[utoipa::path(get, path = "/v1/payment-methods", tag = "payments",
    responses((status = 200, description = "All payment methods", body = PaymentMethods)))]
pub(crate) async fn list_payment_methods() -> impl IntoResponse {
    let cache = [(header::CACHE_CONTROL, "public, max-age=300")];
    (cache, Json(PaymentMethods { items: METHODS }))
}
