//! `GET /v1/admin/dead-letters`: those that nobody has dealt with, newest first.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use souk_http::{
    Json, Problem, ProblemBody, Query,
    auth::Admin,
    page::{self, Page, PageQuery},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;

/// A message that no attempt could handle.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = DeadLetter)]
pub struct DeadLetterView {
    /// Of this entry.
    pub id: Uuid,
    /// The sender's.
    pub message_id: Uuid,
    /// Its type.
    pub kind: String,
    /// Where it was sent to.
    pub queue: String,
    /// Its saga.
    pub saga_id: Uuid,
    /// Why it was given up.
    pub reason: String,
    /// After how many attempts.
    pub attempts: i32,
    /// As text; what is no UTF-8 is replaced.
    pub body: String,
    /// When it was buried.
    pub died_at: DateTime<Utc>,
}

/// List dead letters
#[utoipa::path(get, path = "/v1/admin/dead-letters", tag = "operators", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, body = Page<DeadLetterView>), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn list_dead_letters(
    State(app): State<App>,
    _admin: Admin,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<DeadLetterView>>, Problem> {
    let before: Option<Uuid> = query.cursor.as_deref().map(page::decode).transpose()?;
    souk_http::detached(async move {
        let mut conn = app.pool.acquire().await?;
        let rows = sqlx::query!(
            "SELECT id, message_id, kind, queue, correlation_id, reason, attempts, body, died_at
             FROM dead_letters WHERE settled_at IS NULL AND id < $1 ORDER BY id DESC LIMIT $2",
            before.unwrap_or(Uuid::max()),
            i64::from(query.limit.get()) + 1
        )
        .fetch_all(&mut *conn)
        .await?;
        let letters = rows.into_iter().map(|row| DeadLetterView {
            id: row.id,
            message_id: row.message_id,
            kind: row.kind,
            queue: row.queue,
            saga_id: row.correlation_id,
            reason: row.reason,
            attempts: row.attempts,
            body: String::from_utf8_lossy(&row.body).into_owned(),
            died_at: row.died_at,
        });
        Ok(Json(Page::of(letters.collect(), query.limit, |letter| letter.id)))
    })
    .await
}
