//! The provider's append-only log of captures and refunds.

pub(crate) mod list_balance_transactions;

use sqlx::PgConnection;

use crate::intents::Intent;

/// Appends a movement to the log, in the transaction that changes the intent: a refund if `refund` is given, otherwise
/// a charge.
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
