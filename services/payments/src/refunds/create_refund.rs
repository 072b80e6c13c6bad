//! `POST /v1/payments/{id}/refunds`: an operator refunds a payment, in whole or in part. Shoppers are refunded by returning
//! items instead; a refund alone would leave them with the items.

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
use utoipa::{
    ToSchema,
    openapi::{AllOfBuilder, ObjectBuilder, OneOfBuilder, Ref, Type},
};
use uuid::Uuid;

use super::{NewRefund, view::RefundView};
use crate::{App, error::Error, payment::store as payments};

/// How long the request waits for the provider's confirmation. After that, the refund is completed in the background.
const CONFIRMATION_TIMEOUT: Duration = Duration::from_secs(2);

/// A refund to create. Without an amount, everything that can still be refunded is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRefund {
    #[schema(schema_with = refund_amount)]
    amount: Option<Money>,
    /// Reason for the refund, shown to the shopper: 1 to 500 characters, not counting leading and trailing white space,
    /// and no control characters.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$",
        example = "The cup arrived broken."
    )]
    reason: String,
}

/// Schema of the amount: [`Money`] above zero. `Money` alone also allows zero and negative amounts.
fn refund_amount() -> OneOfBuilder {
    let above_zero = ObjectBuilder::new().property(
        "amount",
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)),
    );
    OneOfBuilder::new()
        .description(Some(
            "Amount to refund, above zero and in the currency of the payment. If absent or null, everything that can still \
             be refunded.",
        ))
        .examples([serde_json::json!({"amount": 400, "currency": "EUR"})])
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .item(
            AllOfBuilder::new()
                .item(Ref::from_schema_name("Money"))
                .item(above_zero),
        )
}

/// Refund a payment
///
/// For operators only; shoppers are refunded by returning items. The refund is recorded as pending and requested from the
/// payment provider, which usually confirms it within two seconds; read the payment to see the result. A repetition with
/// the same key returns the first response and refunds nothing more.
#[utoipa::path(post, path = "/v1/payments/{id}/refunds", tag = "payments", request_body = CreateRefund,
    params(("id" = PaymentId, Path, description = "Id of the payment"),
        ("Idempotency-Key" = String, Header, description = "Send the same key when repeating the request: 1 to 255 visible ASCII characters",
            min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    security(("bearer" = [])),
    responses(
        (status = 202, description = "The refund is recorded", body = RefundView, headers(("location" = String, description = "Path of the payment"))),
        (status = 400, description = "The Idempotency-Key is missing or not valid, or the body is not JSON", body = ProblemBody),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 404, description = "There is no such payment", body = ProblemBody),
        (status = 409, description = "The amount exceeds what can still be refunded, nothing was captured, or a request with the same key is in progress", body = ProblemBody),
        (status = 422, description = "A field is not valid, or the key was already used with a different body", body = ProblemBody)))]
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
    let hash = request_hash(payment, body.sha256);
    let response = idempotency::run(&app.pool, claims.sub, "create_refund", &key, hash, move |conn| {
        async move {
            let found = payments::lock(conn, payment).await?.ok_or(Error::NotFound)?;
            reserve_refund(conn, found, id, request).await
        }
        .boxed()
    })
    .await?;
    // A replayed response belongs to an earlier refund, so this id does not exist and there is nothing to settle.
    let settlement = async move { super::settle(&app, id).await }.in_current_span();
    if !response.headers().contains_key("idempotency-replayed")
        && let Ok(Ok(Err(error))) = tokio::time::timeout(CONFIRMATION_TIMEOUT, tokio::spawn(settlement)).await
    {
        tracing::warn!(error = &error as &dyn std::error::Error, %id, "the provider has not confirmed the refund; the worker will retry");
    }
    Ok(response)
}

/// Reserves the amount and returns the response to store with the key.
async fn reserve_refund(
    conn: &mut PgConnection,
    payment: crate::payment::Payment,
    id: Uuid,
    request: CreateRefund,
) -> Result<StoredResponse, Error> {
    let payment_id = payment.id;
    let refundable = payment.refundable();
    if request.amount.is_none() && refundable.amount == 0 {
        return Err(Error::NotRefundable(payment.status.as_str()));
    }
    let new = NewRefund {
        id,
        return_id: None,
        amount: request.amount.unwrap_or(refundable),
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

/// Hash that identifies the request: the same body for another payment is a different request.
fn request_hash(payment: PaymentId, body: [u8; 32]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::new()
        .chain_update(payment.0.as_bytes())
        .chain_update(body)
        .finalize()
        .into()
}
