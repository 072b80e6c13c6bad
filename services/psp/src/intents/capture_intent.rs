//! `POST /v1/payment_intents/{id}/capture`: charges the reserved amount.

use axum::extract::{Path, State};

use super::{Intent, IntentStatus, store};
use crate::{
    App, balance,
    error::{Error, ErrorBody},
    idempotency::{KeyedRequest, RecordedResponse},
    methods::Method,
    webhooks,
};

/// Capture a payment intent
///
/// Charges the whole reserved amount and sends a `payment_intent.captured` event. With `pm_card_timeout_after_charge` the
/// first response arrives only after 15 seconds; a repetition with the same key returns it at once.
#[utoipa::path(post, path = "/v1/payment_intents/{id}/capture", tag = "payment intents",
    params(("id" = String, Path, description = "Id of the payment intent"),
        ("Idempotency-Key" = String, Header, description = "Send the same key when repeating the request",
            min_length = 1, max_length = 255)),
    responses((status = 200, description = "The captured intent", body = Intent),
        (status = 400, description = "The intent is not waiting for its capture, or the key is missing or was used before", body = ErrorBody),
        (status = 401, description = "The API key is missing or wrong", body = ErrorBody),
        (status = 402, description = "The bank declined the capture", body = ErrorBody),
        (status = 404, description = "There is no such payment intent", body = ErrorBody),
        (status = 409, description = "A request with the same key is in progress", body = ErrorBody)))]
pub(crate) async fn capture_intent(
    State(app): State<App>,
    Path(id): Path<String>,
    request: KeyedRequest,
) -> Result<RecordedResponse, Error> {
    let response = request
        .run(&app, move |conn| {
            Box::pin(async move {
                let mut intent = store::lock(conn, &id).await?;
                if intent.status != IntentStatus::RequiresCapture {
                    return Err(Error::UnexpectedState(Box::new(intent)));
                }
                Method::parse(&intent.payment_method)?.capture()?;
                intent.status = IntentStatus::Succeeded;
                intent.amount_captured = intent.amount;
                store::update(conn, &intent).await?;
                balance::record(conn, &intent, None, intent.amount).await?;
                webhooks::record_event(conn, "payment_intent.captured", &intent).await?;
                Ok(intent)
            })
        })
        .await?;
    if response.method() == Some(Method::TimeoutAfterCharge) && !response.replayed {
        // The charge is committed, but the client times out before it receives the response.
        tokio::time::sleep(Method::CAPTURE_RESPONSE_DELAY).await;
    }
    Ok(response)
}
