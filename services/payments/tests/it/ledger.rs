//! Invariants of the ledger and of payments that the database itself enforces.

use sqlx::PgConnection;
use uuid::Uuid;

use super::support::Fixture;

fn constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.constraint())
}

/// Inserts a ledger transaction with these entries: account, amount, currency.
async fn insert_transaction(conn: &mut PgConnection, entries: &[(&str, i64, &str)]) -> Uuid {
    let id = Uuid::now_v7();
    let insert =
        "INSERT INTO refunds (id, payment_id, amount, reason) SELECT $1, id, 1, 'test' FROM payments";
    sqlx::query(insert).bind(id).execute(&mut *conn).await.unwrap();
    let insert = "INSERT INTO ledger_transactions (id, payment_id, kind, refund_id) SELECT $1, id, 'refund', $1 FROM payments";
    sqlx::query(insert).bind(id).execute(&mut *conn).await.unwrap();
    for (account, amount, currency) in entries {
        let insert =
            "INSERT INTO ledger_entries (transaction_id, account, amount, currency) VALUES ($1, $2, $3, $4)";
        let query = sqlx::query(insert)
            .bind(id)
            .bind(account)
            .bind(amount)
            .bind(currency);
        query.execute(&mut *conn).await.unwrap();
    }
    id
}

#[tokio::test]
async fn transactions_must_balance_and_cannot_be_changed() {
    let fixture = Fixture::start().await;
    fixture.captured_order().await;
    let pool = &fixture.database.pool;
    for unbalanced in [
        &[][..],
        &[("refunds", 5, "EUR")],
        &[("refunds", 5, "EUR"), ("psp_clearing", -4, "EUR")],
        &[("refunds", 5, "EUR"), ("psp_clearing", -5, "USD")],
    ] {
        let mut tx = pool.begin().await.unwrap();
        insert_transaction(&mut tx, unbalanced).await;
        let error = tx.commit().await.unwrap_err();
        assert_eq!(constraint(&error), Some("ledger_balances"), "{unbalanced:?}");
    }
    let mut tx = pool.begin().await.unwrap();
    insert_transaction(&mut tx, &[("refunds", 5, "EUR"), ("psp_clearing", -5, "EUR")]).await;
    tx.commit().await.unwrap();
    for rewrite in [
        "UPDATE ledger_entries SET amount = amount + 1",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_transactions SET created_at = now()",
        "TRUNCATE ledger_entries",
    ] {
        let error = sqlx::query(rewrite).execute(pool).await.unwrap_err();
        assert_eq!(constraint(&error), Some("ledger_is_append_only"), "{rewrite}");
    }
}

#[tokio::test]
async fn amounts_of_a_payment_cannot_exceed_their_limits() {
    let fixture = Fixture::start().await;
    fixture.captured_order().await;
    for (change, name) in [
        ("captured = authorized + 1", "payments_captured"),
        (
            "refunded = captured + 1, status = 'refunded'",
            "payments_refunded",
        ),
        ("refunding = captured + 1", "payments_refunded"),
        ("status = 'voided'", "payments_captured_state"),
        ("captured = 0, status = 'paid'", "payments_status"),
    ] {
        let sql = sqlx::AssertSqlSafe(format!("UPDATE payments SET {change}"));
        let error = sqlx::query(sql)
            .execute(&fixture.database.pool)
            .await
            .unwrap_err();
        assert_eq!(constraint(&error), Some(name), "{change}");
    }
}
