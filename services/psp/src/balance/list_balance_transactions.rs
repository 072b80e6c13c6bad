//! `GET /v1/balance_transactions`: lists the captures and refunds, oldest first.

use axum::{
    Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    App,
    error::{Error, ErrorBody},
};

/// One movement of money: a captured payment or a refund.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BalanceTransaction {
    /// Id of the transaction, `txn_` and a number; later transactions have higher numbers.
    #[schema(example = "txn_000000000042")]
    pub(crate) id: String,
    /// `charge` for a captured payment, `refund` for a refund.
    #[schema(example = "charge")]
    pub(crate) r#type: String,
    /// Amount in minor units (cents for EUR): positive for a charge, negative for a refund.
    #[schema(example = 1999)]
    pub(crate) amount: i64,
    /// ISO 4217 currency code of the amount.
    #[schema(example = "EUR")]
    pub(crate) currency: String,
    /// Id of the payment intent whose money moved, `pi_` and 32 hexadecimal digits.
    pub(crate) payment_intent: String,
    /// Id of the refund, `re_` and 32 hexadecimal digits; null for a charge.
    pub(crate) refund: Option<String>,
    /// The metadata that the merchant attached to the payment intent.
    #[schema(value_type = Object)]
    pub(crate) metadata: serde_json::Value,
    /// Time of the movement, in seconds since 1970 (UTC).
    #[schema(example = 1_750_000_000)]
    pub(crate) created: i64,
}

/// One page of balance transactions, oldest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BalanceTransactions {
    /// Type of this object, always `list`.
    #[schema(example = "list")]
    object: String,
    /// The transactions of this page.
    data: Vec<BalanceTransaction>,
    /// Whether there are later transactions; pass the last id as `starting_after` to read them.
    has_more: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// Maximum number of transactions in the page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// Id of the last transaction of the previous page; the page begins after it.
    #[param(pattern = "^txn_[0-9]+$", example = "txn_000000000042")]
    starting_after: Option<String>,
}

/// List balance transactions
///
/// Lists every captured payment and every refund, oldest first. Use it to reconcile your books.
#[utoipa::path(get, path = "/v1/balance_transactions", tag = "balance", params(Page),
    responses((status = 200, description = "A page of transactions", body = BalanceTransactions),
        (status = 400, description = "A parameter is invalid", body = ErrorBody),
        (status = 401, description = "The API key is missing or wrong", body = ErrorBody)))]
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
            .ok_or_else(|| {
                Error::Invalid(
                    Some("starting_after"),
                    "starting_after must be the id of a balance transaction".into(),
                )
            })?,
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
    let page_size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > page_size;
    let data = rows.into_iter().take(page_size).map(|row| BalanceTransaction {
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
