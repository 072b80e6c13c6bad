//! `GET /v1/payment-methods`: the magic methods of the demo's provider, for the storefront to offer.

use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use souk_http::Json;
use utoipa::ToSchema;

/// A way to pay.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct PaymentMethod {
    /// To be sent as `payment_method` of an order.
    id: &'static str,
    /// For the shopper.
    name: &'static str,
    /// What the provider will do.
    description: &'static str,
    /// How an order ends that is paid with it: `confirmed` or `rejected`.
    outcome: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentMethods {
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
        "Card that works",
        "confirmed",
        "Authorized and captured at once.",
    ),
    method(
        "pm_card_declined",
        "Declined card",
        "rejected",
        "The bank refuses to authorize.",
    ),
    method(
        "pm_card_insufficient_funds",
        "Empty card",
        "rejected",
        "The bank refuses to authorize: there is not enough money.",
    ),
    method(
        "pm_card_slow",
        "Slow card",
        "confirmed",
        "The authorization takes 3 seconds.",
    ),
    method(
        "pm_card_timeout_after_charge",
        "Card with a lost answer",
        "confirmed",
        "The money is taken, but the answer is lost. Asking again with the same key finds it taken, once.",
    ),
    method(
        "pm_card_capture_declined",
        "Card that changes its mind",
        "rejected",
        "Authorized, but the capture is refused: stock and money go back.",
    ),
    method(
        "pm_card_flaky",
        "Flaky card",
        "confirmed",
        "The provider fails twice, then authorizes.",
    ),
];

/// List payment methods
#[utoipa::path(get, path = "/v1/payment-methods", tag = "payments", responses((status = 200, body = PaymentMethods)))]
pub(crate) async fn list_payment_methods() -> impl IntoResponse {
    let cache = [(header::CACHE_CONTROL, "public, max-age=300")];
    (cache, Json(PaymentMethods { items: METHODS }))
}
