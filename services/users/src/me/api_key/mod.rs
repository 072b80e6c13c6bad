//! `/v1/users/me/api-keys`: API keys for the caller's programs. The secret of a key is returned only when it is created. A
//! key has scopes and an expiry, and cannot create or delete keys.

pub(crate) mod create;
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

use crate::{error::Error, token};

/// An API key of the caller, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiKey {
    /// Id of the key.
    id: Uuid,
    /// Name chosen by the owner.
    #[schema(example = "Nightly backup")]
    name: String,
    /// First characters of the secret, to recognize the key by.
    #[schema(example = "souk_ak_0sVn2Q")]
    prefix: String,
    /// Scopes of the key; they determine what it may be used for.
    scopes: Vec<Scope>,
    /// Time at which the key was created.
    created_at: DateTime<Utc>,
    /// Time at which the key expires. It is deleted 30 days later.
    expires_at: DateTime<Utc>,
    /// Time of the last use, to the minute; null if the key was never used.
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
            scopes: parse_scopes(&row.scopes),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        }
    }
}

fn parse_scopes(names: &[String]) -> Vec<Scope> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// List my API keys
///
/// Lists the caller's API keys without their secrets, oldest first. Expired keys are included until they are deleted.
#[utoipa::path(get, path = "/v1/users/me/api-keys", tag = "account", security(("bearer" = [])), params(PageQuery), responses(
    (status = 200, description = "A page of API keys", body = Page<ApiKey>),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 422, description = "A parameter is unknown or not valid", body = ProblemBody),
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

/// A valid API key that a client presented.
pub(crate) struct PresentedKey {
    pub(crate) owner: UserId,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// Finds the key with this secret and records its use; `None` if it is unknown or has expired.
pub(crate) async fn find(connection: &mut PgConnection, text: &str) -> sqlx::Result<Option<PresentedKey>> {
    // Update the time of the last use at most once a minute, so that a busy key does not cause a write per request.
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
    Ok(key.map(|key| PresentedKey {
        owner: UserId(key.user_id),
        scopes: parse_scopes(&key.scopes),
        expires_at: key.expires_at,
    }))
}

/// Delete an API key
///
/// Deletes one of the caller's API keys, which the gateway then refuses within seconds. API keys cannot be used for this.
#[utoipa::path(delete, path = "/v1/users/me/api-keys/{id}", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "Id of the key")), responses(
    (status = 204, description = "The key is deleted"),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 403, description = "The request uses an API key; this requires a login", body = ProblemBody),
    (status = 404, description = "The caller has no such key", body = ProblemBody),
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
        Err(Error::NotFound("API key").into())
    }
}

/// Deletes all API keys of a user.
pub(crate) async fn delete_all(connection: &mut PgConnection, user: UserId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM api_keys WHERE user_id = $1", user.0)
        .execute(connection)
        .await
        .map(drop)
}
