//! `/v1/users/me/sessions`: lists the caller's sessions and ends all of them.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use http::{StatusCode, header};
use serde::Serialize;
use souk_http::{
    Json, Problem, ProblemBody, Query,
    auth::{self, User},
    page::{self, Page, PageQuery},
};
use sqlx::PgPool;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{cookie, session};

/// A session of the caller that has not ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Id of the session.
    id: Uuid,
    /// Whether this request belongs to the session.
    current: bool,
    /// Time of the login.
    created_at: DateTime<Utc>,
    /// Time at which the session last obtained an access token.
    last_used_at: DateTime<Utc>,
    /// Time at which the session ends at the latest, 90 days after the login.
    expires_at: DateTime<Utc>,
}

/// List my sessions
///
/// Lists the sessions in which the caller is logged in, newest first.
#[utoipa::path(get, path = "/v1/users/me/sessions", tag = "account", security(("bearer" = [])), params(PageQuery), responses(
    (status = 200, description = "A page of sessions", body = Page<Session>),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 422, description = "A parameter is unknown or not valid", body = ProblemBody),
))]
pub(crate) async fn list_sessions(
    State(pool): State<PgPool>,
    User(claims): User,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Session>>, Problem> {
    let before: Option<Uuid> = query.cursor.as_deref().map(page::decode).transpose()?;
    // The unused refresh token of a session was created by its last refresh.
    let items = sqlx::query_as!(
        Session,
        r#"SELECT s.id, s.id IS NOT DISTINCT FROM $4 AS "current!", s.created_at,
                  t.created_at AS last_used_at, s.expires_at
           FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id AND t.used_at IS NULL
           WHERE s.user_id = $1 AND ($2::uuid IS NULL OR s.id < $2)
             AND s.revoked_at IS NULL AND s.expires_at > now() AND t.expires_at > now()
           ORDER BY s.id DESC LIMIT $3"#,
        claims.sub.0,
        before,
        i64::from(query.limit.get()) + 1,
        claims.sid
    )
    .fetch_all(&pool)
    .await?;
    Ok(Json(Page::of(items, query.limit, |item| item.id)))
}

/// End all my sessions
///
/// Ends all sessions of the caller, including this one, and deletes the browser's session cookie. Access tokens remain valid
/// until they expire, within ten minutes. API keys are not affected, and cannot be used for this.
#[utoipa::path(delete, path = "/v1/users/me/sessions", tag = "account", security(("bearer" = [])), responses(
    (status = 204, description = "All sessions have ended"),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 403, description = "The request uses an API key; this requires a login", body = ProblemBody),
))]
pub(crate) async fn delete_sessions(
    State(pool): State<PgPool>,
    auth::Session { claims, .. }: auth::Session,
) -> Result<Response, Problem> {
    souk_http::detached(async move {
        let mut connection = pool.acquire().await?;
        session::end_all(&mut connection, claims.sub, None, "logout everywhere", Utc::now()).await
    })
    .await?;
    Ok((
        StatusCode::NO_CONTENT,
        [(header::SET_COOKIE, cookie::clear_refresh())],
    )
        .into_response())
}
