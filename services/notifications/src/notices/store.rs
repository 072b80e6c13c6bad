//! Queries for notifications and read marks.

use chrono::{DateTime, Utc};
use contracts::{UserId, events::Envelope};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::Notice;

/// A notification of one user.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) notice: Json<Notice>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) read_at: Option<DateTime<Utc>>,
}

/// Adds a notice to the user's list, unless it is older than 30 days and would be deleted immediately.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    event: &Envelope,
    user: UserId,
    notice: &Notice,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO notifications (id, user_id, notice, created_at)
         SELECT $1, $2, $3, $4 WHERE $4 > now() - interval '30 days'
         ON CONFLICT (id) DO NOTHING",
        event.id,
        user.0,
        Json(notice) as _,
        event.occurred_at
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Deletes every notification of a deleted account.
pub(crate) async fn delete_all(conn: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM notifications WHERE user_id = $1", user.0)
        .execute(conn)
        .await
        .map(drop)
}

/// Reads the newest notifications that come after the position `before` of the previous page.
pub(crate) async fn list(
    conn: &mut PgConnection,
    user: UserId,
    before: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> sqlx::Result<Vec<Row>> {
    let (time, id) = before.unzip();
    sqlx::query_as!(
        Row,
        r#"SELECT n.id, n.notice AS "notice: Json<Notice>", n.created_at, m.read_at AS "read_at?"
           FROM notifications n LEFT JOIN read_marks m ON m.notification_id = n.id
           WHERE n.user_id = $1 AND ($2::timestamptz IS NULL OR (n.created_at, n.id) < ($2, $3::uuid))
           ORDER BY n.created_at DESC, n.id DESC LIMIT $4"#,
        user.0,
        time,
        id,
        limit
    )
    .fetch_all(conn)
    .await
}

/// Counts the unread notifications of a user.
pub(crate) async fn count_unread(conn: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM notifications n
           WHERE n.user_id = $1 AND NOT EXISTS (SELECT FROM read_marks m WHERE m.notification_id = n.id)"#,
        user.0
    )
    .fetch_one(conn)
    .await
}

/// Marks a notification of the user as read. Returns false if the user has no such notification.
pub(crate) async fn mark_read(conn: &mut PgConnection, user: UserId, id: Uuid) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM notifications WHERE id = $1 AND user_id = $2",
        id,
        user.0
    )
    .fetch_optional(&mut *conn)
    .await?;
    if found.is_none() {
        return Ok(false);
    }
    sqlx::query!(
        "INSERT INTO read_marks (notification_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        id,
        user.0
    )
    .execute(conn)
    .await?;
    Ok(true)
}

/// Marks every notification of the user as read.
pub(crate) async fn mark_all_read(conn: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO read_marks (notification_id, user_id) SELECT id, user_id FROM notifications WHERE user_id = $1
         ON CONFLICT DO NOTHING",
        user.0
    )
    .execute(conn)
    .await
    .map(drop)
}
