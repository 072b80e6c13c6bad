//! `POST /v1/payments/{id}/refunds`: an operator refunds a payment, in whole or in part. A shopper gets money back by
//! returning items, because a refund on its own leaves them the items.

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{Money, PaymentId};
use futures::FutureExt;
use serde::Deserialize;
use souk_http::{
    FieldError, HashedJson, Path, Problem, ProblemBody,
    auth::Admin,
    idempotency::{self, Key, StoredResponse},
};
use sqlx::PgConnection;
use tracing::Instrument;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{NewRefund, view::RefundView};
use crate::{App, error::Error, payment::store as payments};

/// How long the answer waits for the provider. What is not confirmed by then, a worker goes on with.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to give back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRefund {
    /// All that is left, if absent.
    amount: Option<Money>,
    /// For the shopper and the books; 1 to 500 characters.
    reason: String,
}

/// Refund a payment
///
/// For operators only; a shopper gets money back by returning items. The refund is promised when this answers; the provider
/// confirms it soon after, and the payment shows it.
#[utoipa::path(post, path = "/v1/payments/{id}/refunds", tag = "payments", request_body = CreateRefund,
    params(("id" = PaymentId, Path), ("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses(
        (status = 202, description = "Promised", body = RefundView, headers(("location" = String, description = "The payment"))),
        (status = 400, description = "No Idempotency-Key, or no JSON", body = ProblemBody),
        (status = 401, body = ProblemBody),
        (status = 403, description = "Not an operator", body = ProblemBody),
        (status = 404, description = "No such payment", body = ProblemBody),
        (status = 409, description = "More than is left, nothing captured, or a request in flight", body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub(crate) async fn create_refund(
    State(app): State<App>,
    Admin(claims): Admin,
    Path(payment): Path<PaymentId>,
    key: Key,
    body: HashedJson<CreateRefund>,
) -> Result<Response, Problem> {
    let request = body.value;
    let characters = request.reason.trim().chars().count();
    if !(1..=500).contains(&characters) || request.reason.chars().any(char::is_control) {
        let detail = "must have 1 to 500 characters, none of them a control character";
        return Err(Problem::invalid(vec![FieldError::new("/reason", detail)]));
    }
    let id = Uuid::now_v7();
    let hash = over(payment, body.sha256);
    let response = idempotency::run(&app.pool, claims.sub, "create_refund", &key, hash, move |conn| {
        async move {
            let found = payments::lock(conn, payment).await?.ok_or(Error::NotFound)?;
            promise(conn, found, id, request).await
        }
        .boxed()
    })
    .await?;
    // Of a replayed answer the id is another, and there is nothing to settle.
    let settling = async move { super::settle(&app, id).await }.in_current_span();
    if !response.headers().contains_key("idempotency-replayed")
        && let Ok(Ok(Err(error))) = tokio::time::timeout(PATIENCE, tokio::spawn(settling)).await
    {
        tracing::warn!(error = &error as &dyn std::error::Error, %id, "the refund is left to the worker");
    }
    Ok(response)
}

async fn promise(
    conn: &mut PgConnection,
    payment: crate::payment::Payment,
    id: Uuid,
    request: CreateRefund,
) -> Result<StoredResponse, Error> {
    let payment_id = payment.id;
    let left = payment.refundable();
    if request.amount.is_none() && left.amount == 0 {
        return Err(Error::NotRefundable(payment.status.as_str()));
    }
    let new = NewRefund {
        id,
        return_id: None,
        amount: request.amount.unwrap_or(left),
        reason: request.reason,
    };
    let refund = super::reserve(conn, payment, new).await?;
    let body =
        serde_json::to_value(RefundView::from(&refund)).map_err(|error| sqlx::Error::Encode(error.into()))?;
    Ok(StoredResponse {
        status: StatusCode::ACCEPTED,
        location: Some(format!("/v1/payments/{payment_id}")),
        body,
    })
}

/// The same body for another payment is another request.
fn over(payment: PaymentId, body: [u8; 32]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::new()
        .chain_update(payment.0.as_bytes())
        .chain_update(body)
        .finalize()
        .into()
}
