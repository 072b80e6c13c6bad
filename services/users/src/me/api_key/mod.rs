//! `/v1/users/me/api-keys`: keys for the caller's programs. A key's secret is shown when it is created and never again. A
//! key has scopes and an expiry, and cannot create keys.

pub(crate) mod create;
#[cfg(test)]
mod tests;

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::UserId;
use http::StatusCode;
use serde::Serialize;
use souk_http::{
    Json, Path, Problem, ProblemBody, Query,
    auth::{Scope, Session, User},
    page::{self, Page, PageQuery},
};
use sqlx::{PgConnection, PgPool};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::token;

/// A key of the caller's, without the secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiKey {
    /// Its id.
    id: Uuid,
    /// What its owner calls it.
    name: String,
    /// How the secret begins.
    prefix: String,
    /// What it may be used for.
    scopes: Vec<Scope>,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// From when on it is refused. It is deleted 30 days later.
    expires_at: DateTime<Utc>,
    /// When it was last used, give or take a minute.
    last_used_at: Option<DateTime<Utc>>,
}

struct Row {
    id: Uuid,
    name: String,
    prefix: String,
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

impl From<Row> for ApiKey {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            scopes: scopes_of(&row.scopes),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        }
    }
}

fn scopes_of(names: &[String]) -> Vec<Scope> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// The caller's keys, oldest first.
#[utoipa::path(get, path = "/v1/users/me/api-keys", tag = "account", security(("bearer" = [])), params(PageQuery), responses(
    (status = 200, body = Page<ApiKey>),
    (status = 401, body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list_api_keys(
    State(pool): State<PgPool>,
    User(claims): User,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ApiKey>>, Problem> {
    let after: Option<Uuid> = query.cursor.as_deref().map(page::decode).transpose()?;
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, name, prefix, scopes, created_at, expires_at, last_used_at FROM api_keys
         WHERE user_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3",
        claims.sub.0,
        after,
        i64::from(query.limit.get()) + 1
    )
    .fetch_all(&pool)
    .await?;
    let items = rows.into_iter().map(ApiKey::from).collect();
    Ok(Json(Page::of(items, query.limit, |item: &ApiKey| item.id)))
}

/// A key that someone has shown.
pub(crate) struct Shown {
    pub(crate) owner: UserId,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// The key with that secret, unless it has expired; it counts as used.
pub(crate) async fn find(connection: &mut PgConnection, text: &str) -> sqlx::Result<Option<Shown>> {
    // Once a minute is precise enough for "last used", and keeps a busy key from being a busy row.
    let key = sqlx::query!(
        "WITH used AS (
             UPDATE api_keys SET last_used_at = now()
             WHERE sha256 = $1 AND expires_at > now()
                 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
         ) SELECT user_id, scopes, expires_at FROM api_keys WHERE sha256 = $1 AND expires_at > now()",
        &token::hash(text)[..]
    )
    .fetch_optional(connection)
    .await?;
    Ok(key.map(|key| Shown {
        owner: UserId(key.user_id),
        scopes: scopes_of(&key.scopes),
        expires_at: key.expires_at,
    }))
}

/// Deletes a key. The gateway refuses it within seconds. Not for API keys.
#[utoipa::path(delete, path = "/v1/users/me/api-keys/{id}", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path)), responses(
    (status = 204),
    (status = 403, description = "With an API key", body = ProblemBody, content_type = "application/problem+json"),
    (status = 404, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_api_key(
    State(pool): State<PgPool>,
    Session { claims, .. }: Session,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let done = sqlx::query!(
        "DELETE FROM api_keys WHERE id = $1 AND user_id = $2",
        id,
        claims.sub.0
    )
    .execute(&pool)
    .await?;
    if done.rows_affected() == 1 {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("API key"))
    }
}

/// Ends every key of a user.
pub(crate) async fn end_all(connection: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM api_keys WHERE user_id = $1", user.0)
        .execute(connection)
        .await
        .map(drop)
}
