//! `POST /v1/webhooks/psp`: takes in what the provider signed.

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

/// An event, as far as it is read.
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

/// Take in a provider's event
///
/// Signed over time and raw body. An event that is sent twice, or of an unknown type, is acknowledged.
#[utoipa::path(post, path = "/v1/webhooks/psp", tag = "webhooks", request_body = serde_json::Value,
    params(("Souk-Signature" = String, Header, description = "`t=…,v1=…`")),
    responses((status = 204, description = "Taken in"), (status = 400, description = "No event", body = ProblemBody),
        (status = 401, description = "The signature is missing, wrong or old", body = ProblemBody),
        (status = 413, body = ProblemBody)))]
pub(crate) async fn receive_webhook(
    State(app): State<App>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<StatusCode, Problem> {
    let header = headers
        .get(signature::HEADER)
        .and_then(|value| value.to_str().ok());
    let now = chrono::Utc::now().timestamp();
    signature::verify(header, &body, &app.webhook_secrets, now).map_err(refuse)?;
    let event: Event = serde_json::from_slice(&body).map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-event",
            "The body is no event.",
        )
    })?;
    if event.id.is_empty() || event.id.len() > 255 {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-event",
            "The event has no id.",
        ));
    }
    souk_http::detached(async move {
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

fn refuse(error: SignatureError) -> Problem {
    tracing::warn!(%error, "a webhook was refused");
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "invalid-signature",
        "The signature is missing, wrong or too old.",
    )
}

/// The raw body, at most as large as a JSON body may be.
pub(crate) struct Body(Bytes);

impl<S: Send + Sync> axum::extract::FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, _: &S) -> Result<Self, Problem> {
        match axum::body::to_bytes(request.into_body(), souk_http::BODY_LIMIT).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(_) => Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is too large, or ended early.",
            )),
        }
    }
}
