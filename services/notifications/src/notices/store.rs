//! The rows of the lists.

use chrono::{DateTime, Utc};
use contracts::{UserId, events::Envelope};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::Notice;

/// A notice on somebody's list.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) notice: Json<Notice>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) read_at: Option<DateTime<Utc>>,
}

/// Puts it on the list, unless it would be forgotten at once.
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

/// Forgets the list of an account that was deleted.
pub(crate) async fn forget(conn: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM notifications WHERE user_id = $1", user.0)
        .execute(conn)
        .await
        .map(drop)
}

/// The newest, before the given place in the list.
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

pub(crate) async fn unread(conn: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM notifications n
           WHERE n.user_id = $1 AND NOT EXISTS (SELECT FROM read_marks m WHERE m.notification_id = n.id)"#,
        user.0
    )
    .fetch_one(conn)
    .await
}

/// Marks one, if it is the user's; false if there is none.
pub(crate) async fn mark(conn: &mut PgConnection, user: UserId, id: Uuid) -> sqlx::Result<bool> {
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

/// Marks all that there are.
pub(crate) async fn mark_all(conn: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO read_marks (notification_id, user_id) SELECT id, user_id FROM notifications WHERE user_id = $1
         ON CONFLICT DO NOTHING",
        user.0
    )
    .execute(conn)
    .await
    .map(drop)
}
