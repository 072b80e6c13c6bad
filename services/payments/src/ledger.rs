//! The double-entry ledger: each movement of money is one ledger transaction whose entries sum to zero (debits positive,
//! credits negative). It is written in the database transaction that changes the payment's state.

use contracts::{Money, PaymentId};
use sqlx::PgConnection;
use uuid::Uuid;

/// Records a capture: the provider now holds `amount` for us (`psp_clearing`), earned by a sale (`sales`).
pub(crate) async fn capture(conn: &mut PgConnection, payment: PaymentId, amount: Money) -> sqlx::Result<()> {
    post(conn, payment, "capture", None, "psp_clearing", "sales", amount).await
}

/// Records a refund: the provider returned `amount` to the customer.
pub(crate) async fn refund(
    conn: &mut PgConnection,
    payment: PaymentId,
    refund: Uuid,
    amount: Money,
) -> sqlx::Result<()> {
    post(
        conn,
        payment,
        "refund",
        Some(refund),
        "refunds",
        "psp_clearing",
        amount,
    )
    .await
}

async fn post(
    conn: &mut PgConnection,
    payment: PaymentId,
    kind: &str,
    refund: Option<Uuid>,
    debit: &str,
    credit: &str,
    amount: Money,
) -> sqlx::Result<()> {
    let transaction = Uuid::now_v7();
    sqlx::query!(
        "WITH transaction AS (
             INSERT INTO ledger_transactions (id, payment_id, kind, refund_id) VALUES ($1, $2, $3, $4) RETURNING id
         )
         INSERT INTO ledger_entries (transaction_id, account, amount, currency)
         SELECT id, account, amount, $8
         FROM transaction, (VALUES ($5, $7::bigint), ($6, -$7::bigint)) AS entry (account, amount)",
        transaction,
        payment.0,
        kind,
        refund,
        debit,
        credit,
        amount.amount,
        amount.currency.as_str()
    )
    .execute(conn)
    .await
    .map(|_| ())
}
