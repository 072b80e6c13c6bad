//! `POST /v1/webhooks/psp`: receives signed events from the payment provider.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::Deserialize;
use souk_http::{Problem, ProblemBody};

use super::{
    apply,
    signature::{self, SignatureError},
};
use crate::{App, error::Error};

/// The part of an event that this service reads.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) r#type: String,
    pub(super) data: EventData,
}

#[derive(Debug, Deserialize)]
pub(super) struct EventData {
    pub(super) object: serde_json::Value,
}

/// Receive an event of the payment provider
///
/// Updates the payment or refund that the event is about. Duplicates and events of unknown types are acknowledged without
/// effect. The signature is an HMAC-SHA256 over the time of sending and the raw body, and is valid for five minutes.
#[utoipa::path(post, path = "/v1/webhooks/psp", tag = "webhooks", request_body = serde_json::Value,
    params(("Souk-Signature" = String, Header,
        description = "`t=` and the time of sending in seconds since 1970, then `,v1=` and the signature in hexadecimal")),
    responses((status = 204, description = "The event is acknowledged"),
        (status = 400, description = "The body is not an event", body = ProblemBody),
        (status = 401, description = "The signature is missing, wrong or too old", body = ProblemBody),
        (status = 413, description = "The body is larger than 64 KiB", body = ProblemBody)))]
pub(crate) async fn receive_webhook(
    State(app): State<App>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<StatusCode, Problem> {
    let header = headers
        .get(signature::HEADER)
        .and_then(|value| value.to_str().ok());
    let now = chrono::Utc::now().timestamp();
    signature::verify(header, &body, &app.webhook_secrets, now).map_err(reject)?;
    let event: Event = serde_json::from_slice(&body).map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-event",
            "The body must be a JSON event with an id, a type and data.",
        )
    })?;
    if event.id.is_empty() || event.id.len() > 255 {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-event",
            "The event's id must have 1 to 255 characters.",
        ));
    }
    souk_http::detached(async move {
        if apply::record_without_news(&app.pool, &event)
            .await
            .map_err(Error::from)?
        {
            return Ok(StatusCode::NO_CONTENT);
        }
        let mut tx = app.pool.begin().await.map_err(Error::from)?;
        let inserted = sqlx::query!(
            "INSERT INTO webhook_events (event_id, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            event.id,
            event.r#type
        )
        .execute(&mut *tx)
        .await
        .map_err(Error::from)?;
        if inserted.rows_affected() == 1 {
            apply::apply(&mut tx, &event).await?;
            tx.commit().await.map_err(Error::from)?;
            app.outbox.flush_soon();
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn reject(error: SignatureError) -> Problem {
    tracing::warn!(%error, "rejected a webhook");
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "invalid-signature",
        "The signature is missing, wrong or too old.",
    )
}

/// The unparsed body, which the signature covers; at most [`souk_http::BODY_LIMIT`] bytes.
pub(crate) struct RawBody(Bytes);

impl<S: Send + Sync> axum::extract::FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, _: &S) -> Result<Self, Problem> {
        match axum::body::to_bytes(request.into_body(), souk_http::BODY_LIMIT).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(_) => Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "payload-too-large",
                "The body is too large, or ended early.",
            )),
        }
    }
}
