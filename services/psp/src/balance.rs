//! `GET /v1/balance_transactions`: the provider's own log of money that moved, oldest first.

use axum::{
    Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};

use crate::{
    App,
    error::{Error, ErrorBody},
    intents::Intent,
};

/// A movement of money.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BalanceTransaction {
    /// `txn_…`, ascending.
    pub(crate) id: String,
    /// `charge` or `refund`.
    pub(crate) r#type: String,
    /// Minor units; negative when the money went back.
    pub(crate) amount: i64,
    /// ISO 4217.
    pub(crate) currency: String,
    /// `pi_…`.
    pub(crate) payment_intent: String,
    /// Of a refund: `re_…`.
    pub(crate) refund: Option<String>,
    /// The intent's.
    #[schema(value_type = Object)]
    pub(crate) metadata: serde_json::Value,
    /// Seconds since 1970.
    pub(crate) created: i64,
}

/// A page of the log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BalanceTransactions {
    /// Always `list`.
    object: String,
    /// The movements.
    data: Vec<BalanceTransaction>,
    /// Whether there are later ones.
    has_more: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// 1 to 100, else 20.
    limit: Option<i64>,
    /// The id of the last movement of the page before.
    starting_after: Option<String>,
}

/// Writes a movement.
pub(crate) async fn record(
    conn: &mut PgConnection,
    intent: &Intent,
    refund: Option<&str>,
    amount: i64,
) -> sqlx::Result<()> {
    let kind = if refund.is_some() { "refund" } else { "charge" };
    sqlx::query!(
        "INSERT INTO balance_transactions (kind, payment_intent, refund, amount, currency)
         VALUES ($1, $2, $3, $4, $5)",
        kind,
        intent.id,
        refund,
        amount,
        intent.currency
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// The log
#[utoipa::path(get, path = "/v1/balance_transactions", params(Page),
    responses((status = 200, body = BalanceTransactions), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody)))]
pub(crate) async fn list_balance_transactions(
    State(app): State<App>,
    query: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<BalanceTransactions>, Error> {
    let Query(page) = query.map_err(|error| Error::Invalid(None, error.body_text()))?;
    let limit = page.limit.unwrap_or(20);
    if !(1..=100).contains(&limit) {
        return Err(Error::Invalid(
            Some("limit"),
            "limit must be from 1 to 100".into(),
        ));
    }
    let after: i64 = match &page.starting_after {
        None => 0,
        Some(id) => id
            .strip_prefix("txn_")
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| Error::Invalid(Some("starting_after"), "no such movement".into()))?,
    };
    let rows = sqlx::query!(
        "SELECT t.id, t.kind, t.amount, t.currency, t.payment_intent, t.refund, t.created_at, i.metadata
         FROM balance_transactions t JOIN payment_intents i ON i.id = t.payment_intent
         WHERE t.id > $1 ORDER BY t.id LIMIT $2",
        after,
        limit + 1
    )
    .fetch_all(&app.pool)
    .await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    let data = rows.into_iter().take(wanted).map(|row| BalanceTransaction {
        id: format!("txn_{:012}", row.id),
        r#type: row.kind,
        amount: row.amount,
        currency: row.currency,
        payment_intent: row.payment_intent,
        refund: row.refund,
        metadata: row.metadata,
        created: row.created_at.timestamp(),
    });
    Ok(Json(BalanceTransactions {
        object: "list".into(),
        data: data.collect(),
        has_more,
    }))
}
