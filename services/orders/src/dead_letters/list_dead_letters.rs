//! `GET /v1/admin/dead-letters`: lists the unsettled dead letters, newest first.

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

/// A message that its receiver could not handle.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = DeadLetter)]
pub struct DeadLetterView {
    /// Id of the dead letter, to redrive or delete it.
    pub id: Uuid,
    /// Id that the sender gave the message. The id of a command is the same in every attempt.
    pub message_id: Uuid,
    /// Type of the message.
    #[schema(example = "payments.authorize_payment.v1")]
    pub kind: String,
    /// Queue to which the message was sent, and will be sent again by a redrive.
    #[schema(example = "payments")]
    pub queue: String,
    /// Id of the saga that sent or awaits the message.
    pub saga_id: Uuid,
    /// Error that the receiver reported last.
    pub reason: String,
    /// Number of times the receiver tried to handle the message.
    pub attempts: i32,
    /// Body of the message, usually JSON. Bytes that are not UTF-8 are shown as U+FFFD.
    pub body: String,
    /// Time at which the message was stored as a dead letter.
    pub died_at: DateTime<Utc>,
}

/// List unsettled dead letters
///
/// Returns messages that their receiver could not handle and that are neither redriven, deleted nor superseded, newest
/// first. Such a message usually parks its saga until an operator decides.
#[utoipa::path(get, path = "/v1/admin/dead-letters", tag = "operators", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of dead letters", body = Page<DeadLetterView>),
        (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
        (status = 403, description = "The caller is not an operator", body = ProblemBody),
        (status = 422, description = "A parameter is unknown or not valid", body = ProblemBody)))]
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
