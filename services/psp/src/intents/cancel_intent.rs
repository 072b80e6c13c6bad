//! `POST /v1/payment_intents/{id}/cancel`: releases the reserved money.

use axum::extract::{Path, State};

use super::{Intent, IntentStatus, store};
use crate::{
    App,
    error::{Error, ErrorBody},
    idempotency::{KeyedRequest, RecordedResponse},
    webhooks,
};

/// Cancel a payment intent
///
/// Releases the reserved money and sends a `payment_intent.canceled` event. Only possible before the capture; refund the
/// payment afterwards.
#[utoipa::path(post, path = "/v1/payment_intents/{id}/cancel", tag = "payment intents",
    params(("id" = String, Path, description = "Id of the payment intent"),
        ("Idempotency-Key" = String, Header, description = "Send the same key when repeating the request",
            min_length = 1, max_length = 255)),
    responses((status = 200, description = "The canceled intent", body = Intent),
        (status = 400, description = "The intent is not waiting for its capture, or the key is missing or was used before", body = ErrorBody),
        (status = 401, description = "The API key is missing or wrong", body = ErrorBody),
        (status = 404, description = "There is no such payment intent", body = ErrorBody),
        (status = 409, description = "A request with the same key is in progress", body = ErrorBody)))]
pub(crate) async fn cancel_intent(
    State(app): State<App>,
    Path(id): Path<String>,
    request: KeyedRequest,
) -> Result<RecordedResponse, Error> {
    request
        .run(&app, move |conn| {
            Box::pin(async move {
                let mut intent = store::lock(conn, &id).await?;
                if intent.status != IntentStatus::RequiresCapture {
                    return Err(Error::UnexpectedState(Box::new(intent)));
                }
                intent.status = IntentStatus::Canceled;
                store::update(conn, &intent).await?;
                webhooks::record_event(conn, "payment_intent.canceled", &intent).await?;
                Ok(intent)
            })
        })
        .await
}
