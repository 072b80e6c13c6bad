//! Database queries for refunds.

use chrono::{DateTime, Utc};
use contracts::{Money, PaymentId, ReturnId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{NewRefund, Refund, RefundStatus};

struct Row {
    id: Uuid,
    payment_id: Uuid,
    amount: i64,
    currency: String,
    reason: String,
    status: String,
    failure_message: Option<String>,
    created_at: DateTime<Utc>,
}

impl Row {
    fn into_refund(self) -> sqlx::Result<Refund> {
        let currency = self
            .currency
            .parse()
            .map_err(|error: contracts::InvalidCurrency| sqlx::Error::Decode(error.into()))?;
        let status = match self.status.as_str() {
            "pending" => RefundStatus::Pending,
            "succeeded" => RefundStatus::Succeeded,
            "failed" => RefundStatus::Failed,
            other => {
                return Err(sqlx::Error::Decode(
                    format!("no refund has the status {other}").into(),
                ));
            }
        };
        Ok(Refund {
            id: self.id,
            payment_id: PaymentId(self.payment_id),
            amount: Money::new(self.amount, currency),
            reason: self.reason,
            status,
            failure: self.failure_message,
            created_at: self.created_at,
        })
    }
}

/// Inserts a pending refund. The caller settles it; if it has not done so within 30 seconds, a worker does.
pub(super) async fn insert(
    conn: &mut PgConnection,
    payment: PaymentId,
    new: NewRefund,
) -> sqlx::Result<Refund> {
    let created_at = sqlx::query_scalar!(
        "INSERT INTO refunds (id, payment_id, return_id, amount, reason, next_at)
         VALUES ($1, $2, $3, $4, $5, now() + interval '30 seconds') RETURNING created_at",
        new.id,
        payment.0,
        new.return_id.map(|id| id.0),
        new.amount.amount,
        new.reason
    )
    .fetch_one(conn)
    .await?;
    Ok(Refund {
        id: new.id,
        payment_id: payment,
        amount: new.amount,
        reason: new.reason,
        status: RefundStatus::Pending,
        failure: None,
        created_at,
    })
}

/// Finds a refund by its id.
pub(crate) async fn find(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Refund>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT r.id, r.payment_id, r.amount, p.currency, r.reason, r.status, r.failure_message, r.created_at
         FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_refund).transpose()
}

/// Finds the refund of a return; a return has at most one.
pub(crate) async fn find_by_return(
    conn: &mut PgConnection,
    return_id: ReturnId,
) -> sqlx::Result<Option<Refund>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT r.id, r.payment_id, r.amount, p.currency, r.reason, r.status, r.failure_message, r.created_at
         FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.return_id = $1",
        return_id.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_refund).transpose()
}

/// Lists the refunds of several payments, oldest first.
pub(crate) async fn list_by_payments(
    conn: &mut PgConnection,
    payments: &[Uuid],
) -> sqlx::Result<Vec<Refund>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT r.id, r.payment_id, r.amount, p.currency, r.reason, r.status, r.failure_message, r.created_at
         FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.payment_id = ANY($1) ORDER BY r.id",
        payments
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_refund).collect()
}

/// Marks a refund as succeeded, with its id at the provider.
pub(super) async fn mark_succeeded(conn: &mut PgConnection, id: Uuid, provider_id: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE refunds SET status = 'succeeded', provider_id = $2, updated_at = now() WHERE id = $1",
        id,
        provider_id
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Marks a refund as failed, with the provider's explanation.
pub(super) async fn mark_failed(conn: &mut PgConnection, id: Uuid, reason: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE refunds SET status = 'failed', failure_message = $2, updated_at = now() WHERE id = $1",
        id,
        reason
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Claims up to ten pending refunds that are due, and schedules their next attempt in case this one fails: after 30 seconds
/// plus a delay that starts at one second and doubles up to five minutes.
pub(super) async fn claim_due(conn: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "UPDATE refunds SET attempts = attempts + 1,
             next_at = now() + interval '30 seconds' + least(interval '5 minutes', interval '1 second' * 2 ^ least(attempts, 10))
         WHERE id IN (SELECT id FROM refunds WHERE status = 'pending' AND next_at <= now()
                      ORDER BY next_at LIMIT 10 FOR UPDATE SKIP LOCKED)
         RETURNING id"
    )
    .fetch_all(conn)
    .await
}
