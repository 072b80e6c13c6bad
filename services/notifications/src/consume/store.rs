//! Queries for the epoch, processed events and poison events.

use events::Received;
use sqlx::PgConnection;
use uuid::Uuid;

/// Reads the current epoch.
pub(super) async fn epoch(conn: &mut PgConnection) -> sqlx::Result<i32> {
    sqlx::query_scalar!("SELECT number FROM epoch")
        .fetch_one(conn)
        .await
}

/// Reads the current epoch and keeps it from ending until the transaction ends.
pub(super) async fn lock_epoch(conn: &mut PgConnection) -> sqlx::Result<i32> {
    sqlx::query_scalar!("SELECT number FROM epoch FOR SHARE")
        .fetch_one(conn)
        .await
}

/// Starts the next epoch, after waiting for transactions of the current one.
pub(super) async fn next_epoch(conn: &mut PgConnection) -> sqlx::Result<i32> {
    sqlx::query_scalar!("UPDATE epoch SET number = number + 1, started_at = now() RETURNING number")
        .fetch_one(conn)
        .await
}

/// Records that an event is processed. Returns false if it was recorded before.
pub(super) async fn mark_processed(conn: &mut PgConnection, event: Uuid) -> sqlx::Result<bool> {
    let result = sqlx::query!(
        "INSERT INTO processed_events (event_id) VALUES ($1) ON CONFLICT DO NOTHING",
        event
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Stores a message that cannot be processed, with its bytes and the reason.
pub(super) async fn store_poison(
    conn: &mut PgConnection,
    received: &Received,
    payload: &[u8],
    reason: &str,
) -> sqlx::Result<()> {
    // The reason can quote the message, and PostgreSQL cannot store NUL characters in text.
    let reason = reason.replace('\0', "\u{fffd}");
    sqlx::query!(
        r#"INSERT INTO poison_events (topic, partition, "offset", payload, reason) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT DO NOTHING"#,
        received.topic,
        received.partition,
        received.offset,
        payload,
        reason
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Deletes all data that can be rebuilt from events. It does not use TRUNCATE, because the service's account may not.
pub(super) async fn delete_derived_data(conn: &mut PgConnection) -> sqlx::Result<()> {
    // Several statements in one query are safe here, because they contain no parameters.
    sqlx::raw_sql(
        "DELETE FROM processed_events; DELETE FROM poison_events; DELETE FROM notifications; DELETE FROM recipients;
         DELETE FROM sales_orders; DELETE FROM sales_refunds; DELETE FROM sales_steps; DELETE FROM sales_rejections;
         DELETE FROM products",
    )
    .execute(conn)
    .await
    .map(drop)
}
