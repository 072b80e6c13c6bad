//! `POST /v1/payment_intents/{id}/cancel`: lets the reserved money go.

use axum::extract::{Path, State};

use super::{Intent, IntentStatus, store};
use crate::{
    App,
    error::{Error, ErrorBody},
    idempotency::{Answer, KeyedRequest},
    webhooks,
};

/// Cancel
///
/// Only before the capture; afterwards there are refunds.
#[utoipa::path(post, path = "/v1/payment_intents/{id}/cancel",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = Intent), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn cancel_intent(
    State(app): State<App>,
    Path(id): Path<String>,
    request: KeyedRequest,
) -> Result<Answer, Error> {
    request
        .run(&app, move |conn| {
            Box::pin(async move {
                let mut intent = store::lock(conn, &id).await?;
                if intent.status != IntentStatus::RequiresCapture {
                    return Err(Error::UnexpectedState(Box::new(intent)));
                }
                intent.status = IntentStatus::Canceled;
                store::update(conn, &intent).await?;
                webhooks::write(conn, "payment_intent.canceled", &intent).await?;
                Ok(intent)
            })
        })
        .await
}
