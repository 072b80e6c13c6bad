//! Database queries for payment intents.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Intent, IntentStatus};
use crate::error::Error;

struct Row {
    id: String,
    amount: i64,
    currency: String,
    payment_method: String,
    metadata: serde_json::Value,
    status: String,
    amount_captured: i64,
    amount_refunded: i64,
    created_at: DateTime<Utc>,
}

impl Row {
    fn into_intent(self) -> sqlx::Result<Intent> {
        Ok(Intent {
            object: "payment_intent".into(),
            status: IntentStatus::parse(&self.status)?,
            id: self.id,
            amount: self.amount,
            currency: self.currency,
            amount_captured: self.amount_captured,
            amount_refunded: self.amount_refunded,
            payment_method: self.payment_method,
            metadata: self.metadata,
            created: self.created_at.timestamp(),
        })
    }
}

/// Inserts a new, authorized intent.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    amount: i64,
    currency: &str,
    payment_method: &str,
    metadata: &serde_json::Value,
) -> sqlx::Result<Intent> {
    sqlx::query_as!(
        Row,
        "INSERT INTO payment_intents (id, amount, currency, payment_method, metadata, status)
         VALUES ($1, $2, $3, $4, $5, 'requires_capture')
         RETURNING id, amount, currency, payment_method, metadata, status, amount_captured, amount_refunded, created_at",
        format!("pi_{}", uuid::Uuid::now_v7().simple()),
        amount,
        currency,
        payment_method,
        metadata
    )
    .fetch_one(conn)
    .await?
    .into_intent()
}

/// Finds an intent and locks its row until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection, id: &str) -> Result<Intent, Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, amount, currency, payment_method, metadata, status, amount_captured, amount_refunded, created_at
         FROM payment_intents WHERE id = $1 FOR UPDATE",
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.ok_or(Error::NotFound("payment_intent"))?.into_intent()?)
}

/// Finds an intent without locking it.
pub(crate) async fn find(conn: &mut PgConnection, id: &str) -> Result<Intent, Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, amount, currency, payment_method, metadata, status, amount_captured, amount_refunded, created_at
         FROM payment_intents WHERE id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.ok_or(Error::NotFound("payment_intent"))?.into_intent()?)
}

/// Saves the status and amounts of a locked intent.
pub(crate) async fn update(conn: &mut PgConnection, intent: &Intent) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE payment_intents SET status = $2, amount_captured = $3, amount_refunded = $4 WHERE id = $1",
        intent.id,
        intent.status.as_str(),
        intent.amount_captured,
        intent.amount_refunded
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Counts a call with `key` and returns the number of calls so far, including this one.
pub(crate) async fn count_call(conn: &mut PgConnection, key: &str) -> sqlx::Result<i32> {
    sqlx::query_scalar!(
        "INSERT INTO flaky_calls (key, calls) VALUES ($1, 1)
         ON CONFLICT (key) DO UPDATE SET calls = flaky_calls.calls + 1 RETURNING calls",
        key
    )
    .fetch_one(conn)
    .await
}
