//! The SQL of refunds.

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
    fn refund(self) -> sqlx::Result<Refund> {
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

/// A pending one; a worker takes it up if whoever inserts it does not finish within half a minute.
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

/// One by id.
pub(crate) async fn find(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Refund>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT r.id, r.payment_id, r.amount, p.currency, r.reason, r.status, r.failure_message, r.created_at
         FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.id = $1",
        id
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::refund).transpose()
}

/// The one of a return.
pub(crate) async fn of_return(conn: &mut PgConnection, return_id: ReturnId) -> sqlx::Result<Option<Refund>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT r.id, r.payment_id, r.amount, p.currency, r.reason, r.status, r.failure_message, r.created_at
         FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.return_id = $1",
        return_id.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::refund).transpose()
}

/// Those of some payments, oldest first.
pub(crate) async fn of_payments(conn: &mut PgConnection, payments: &[Uuid]) -> sqlx::Result<Vec<Refund>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT r.id, r.payment_id, r.amount, p.currency, r.reason, r.status, r.failure_message, r.created_at
         FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.payment_id = ANY($1) ORDER BY r.id",
        payments
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::refund).collect()
}

/// The money went back.
pub(super) async fn succeed(conn: &mut PgConnection, id: Uuid, provider_id: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE refunds SET status = 'succeeded', provider_id = $2, updated_at = now() WHERE id = $1",
        id,
        provider_id
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// The provider refused.
pub(super) async fn fail(conn: &mut PgConnection, id: Uuid, why: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE refunds SET status = 'failed', failure_message = $2, updated_at = now() WHERE id = $1",
        id,
        why
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Takes pending ones that are due, and says when to look again if this attempt fails: after a second, doubling, at
/// most five minutes.
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
