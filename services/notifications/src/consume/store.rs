//! The rows about events themselves.

use events::Received;
use sqlx::PgConnection;
use uuid::Uuid;

/// The epoch that is now.
pub(super) async fn epoch(conn: &mut PgConnection) -> sqlx::Result<i32> {
    sqlx::query_scalar!("SELECT number FROM epoch")
        .fetch_one(conn)
        .await
}

/// The epoch that is now, and stays so until the transaction ends.
pub(super) async fn lock_epoch(conn: &mut PgConnection) -> sqlx::Result<i32> {
    sqlx::query_scalar!("SELECT number FROM epoch FOR SHARE")
        .fetch_one(conn)
        .await
}

/// Begins the next epoch, when all who write for the last one have ended.
pub(super) async fn next_epoch(conn: &mut PgConnection) -> sqlx::Result<i32> {
    sqlx::query_scalar!("UPDATE epoch SET number = number + 1, started_at = now() RETURNING number")
        .fetch_one(conn)
        .await
}

/// False if the event has had its effect already.
pub(super) async fn remember(conn: &mut PgConnection, event: Uuid) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO processed_events (event_id) VALUES ($1) ON CONFLICT DO NOTHING",
        event
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn put_aside(
    conn: &mut PgConnection,
    received: &Received,
    payload: &[u8],
    reason: &str,
) -> sqlx::Result<()> {
    // It can quote the message, and no text of PostgreSQL holds this one.
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

/// Deletes all that can be made again. Not by TRUNCATE, for which the service has no right.
pub(super) async fn empty(conn: &mut PgConnection) -> sqlx::Result<()> {
    // Several statements in one go: nothing in them comes from outside.
    sqlx::raw_sql(
        "DELETE FROM processed_events; DELETE FROM poison_events; DELETE FROM notifications; DELETE FROM recipients;
         DELETE FROM sales_orders; DELETE FROM sales_refunds; DELETE FROM sales_steps; DELETE FROM sales_rejections;
         DELETE FROM products",
    )
    .execute(conn)
    .await
    .map(drop)
}
