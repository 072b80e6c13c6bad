//! `POST /v1/payment_intents/{id}/capture`: takes the money.

use axum::extract::{Path, State};

use super::{Intent, IntentStatus, store};
use crate::{
    App, balance,
    error::{Error, ErrorBody},
    idempotency::{Answer, KeyedRequest},
    methods::Method,
    webhooks,
};

/// Capture
///
/// Takes the whole reserved amount.
#[utoipa::path(post, path = "/v1/payment_intents/{id}/capture",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = Intent), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 402, description = "The bank said no", body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(crate) async fn capture_intent(
    State(app): State<App>,
    Path(id): Path<String>,
    request: KeyedRequest,
) -> Result<Answer, Error> {
    let answer = request
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
                webhooks::write(conn, "payment_intent.captured", &intent).await?;
                Ok(intent)
            })
        })
        .await?;
    if answer.method() == Some(Method::TimeoutAfterCharge) && !answer.replayed {
        // The money is taken, and nobody hears of it.
        tokio::time::sleep(Method::SILENCE).await;
    }
    Ok(answer)
}
