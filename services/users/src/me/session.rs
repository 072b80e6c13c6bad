//! `/v1/users/me/sessions`: where the caller is logged in, and the way out of all of it.

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

/// A login of the caller's that is good still.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Its id.
    id: Uuid,
    /// Whether this request comes from it.
    current: bool,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it last took a new access token.
    last_used_at: DateTime<Utc>,
    /// When it ends at the latest.
    expires_at: DateTime<Utc>,
}

/// The caller's sessions, newest first.
#[utoipa::path(get, path = "/v1/users/me/sessions", tag = "account", security(("bearer" = [])), params(PageQuery), responses(
    (status = 200, body = Page<Session>),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list_sessions(
    State(pool): State<PgPool>,
    User(claims): User,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Session>>, Problem> {
    let before: Option<Uuid> = query.cursor.as_deref().map(page::decode).transpose()?;
    // The family's live token was given by its last renewal.
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

/// Ends all sessions of the caller, this one too, and removes the browser's cookie. Access tokens given before stay good
/// until they expire, and API keys stay valid. Not for API keys.
#[utoipa::path(delete, path = "/v1/users/me/sessions", tag = "account", security(("bearer" = [])), responses(
    (status = 204),
    (status = 401, body = ProblemBody, content_type = "application/problem+json"),
    (status = 403, description = "With an API key", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_sessions(
    State(pool): State<PgPool>,
    auth::Session { claims, .. }: auth::Session,
) -> Result<Response, Problem> {
    let mut connection = pool.acquire().await?;
    session::end_all(&mut connection, claims.sub, None, "logout everywhere", Utc::now()).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie::clear())]).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{PASSWORD, Users};

    #[tokio::test]
    async fn lists_the_callers_sessions_that_are_good_still_newest_first() {
        let users = Users::start().await;
        users.account("eve@souk.test").await;
        users.account("ada@souk.test").await;
        users.sql("UPDATE sessions SET revoked_at = now()").await;
        users.login("ada@souk.test", PASSWORD).await;
        users.sql("UPDATE refresh_tokens SET expires_at = now()").await;
        let first = users.login("ada@souk.test", PASSWORD).await;
        let second = users.login("ada@souk.test", PASSWORD).await;
        let renewed = users
            .post(
                "/v1/auth/refresh",
                &json!({"refresh_token": first.body["refresh_token"]}),
            )
            .await;
        let token = renewed.body["access_token"].as_str().unwrap();
        let newest = users.get("/v1/users/me/sessions?limit=1", token).await;
        let cursor = newest.body["next_cursor"].as_str().unwrap().to_owned();
        let oldest = users
            .get(&format!("/v1/users/me/sessions?cursor={cursor}"), token)
            .await;
        assert_eq!(newest.body["items"][0]["current"], false);
        let [here] = oldest.body["items"].as_array().unwrap().as_slice() else {
            panic!("{}", oldest.body)
        };
        assert_eq!(here["current"], true);
        assert_ne!(here["created_at"], here["last_used_at"], "it was renewed");
        assert_eq!(second.status, 200);
        let nonsense = users.get("/v1/users/me/sessions?cursor=x", token).await;
        assert_eq!(nonsense.status, 422);
    }

    #[tokio::test]
    async fn ends_every_session_of_the_caller_and_nobody_elses() {
        let users = Users::start().await;
        users.account("eve@souk.test").await;
        users.register("ada@souk.test").await;
        let here = users.login("ada@souk.test", PASSWORD).await;
        let there = users.login("ada@souk.test", PASSWORD).await;
        let eves = users.login("eve@souk.test", PASSWORD).await;
        let token = here.body["access_token"].as_str().unwrap();
        assert_eq!(users.delete("/v1/users/me/sessions", "").await.status, 401);
        let answer = users.delete("/v1/users/me/sessions", token).await;
        assert_eq!(answer.status, 204);
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(
            cookie.starts_with("souk_refresh=; Max-Age=0; Path=/v1/auth;"),
            "{cookie}"
        );
        for (login, status) in [(here, 401), (there, 401), (eves, 200)] {
            let body = json!({"refresh_token": login.body["refresh_token"]});
            assert_eq!(users.post("/v1/auth/refresh", &body).await.status, status);
        }
    }
}
