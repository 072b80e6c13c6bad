//! `/v1/users/me/api-keys`: keys for the caller's programs. A key is shown when it is made and never again.

use axum::{extract::State, response::IntoResponse};
use chrono::{DateTime, Utc};
use contracts::UserId;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use souk_http::{
    FieldError, Json, Path, Problem, ProblemBody, Query,
    auth::User,
    page::{self, Page, PageQuery},
};
use sqlx::{PgConnection, PgPool};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{account, token::Token};

/// More than anyone needs, fewer than would hurt.
const MOST: i64 = 20;
/// By which a scanner recognises a leaked key.
const PREFIX: &str = "souk_ak_";

/// A key of the caller's, without the secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiKey {
    /// Its id.
    id: Uuid,
    /// What its owner calls it.
    name: String,
    /// How the secret begins.
    prefix: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was last exchanged for a token.
    last_used_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostApiKey {
    /// What to call it, 1 to 200 characters.
    name: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct NewApiKey {
    #[serde(flatten)]
    api_key: ApiKey,
    /// The secret, for `x-api-key`. Shown this once.
    key: String,
}

/// The caller's keys, oldest first.
#[utoipa::path(get, path = "/v1/users/me/api-keys", tag = "account", security(("bearer" = [])), params(PageQuery), responses(
    (status = 200, body = Page<ApiKey>),
))]
pub(crate) async fn list_api_keys(
    State(pool): State<PgPool>,
    User(claims): User,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ApiKey>>, Problem> {
    let after: Option<Uuid> = query.cursor.as_deref().map(page::decode).transpose()?;
    let items = sqlx::query_as!(
        ApiKey,
        "SELECT id, name, prefix, created_at, last_used_at FROM api_keys
         WHERE user_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3",
        claims.sub.0,
        after,
        i64::from(query.limit.get()) + 1
    )
    .fetch_all(&pool)
    .await?;
    Ok(Json(Page::of(items, query.limit, |item| item.id)))
}

/// Makes a key.
#[utoipa::path(post, path = "/v1/users/me/api-keys", tag = "account", security(("bearer" = [])), request_body = PostApiKey, responses(
    (status = 201, body = NewApiKey),
    (status = 409, description = "There are 20", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn post_api_key(
    State(pool): State<PgPool>,
    User(claims): User,
    Json(request): Json<PostApiKey>,
) -> Result<impl IntoResponse, Problem> {
    if !account::is_name(&request.name) {
        return Err(Problem::invalid(vec![FieldError::new(
            "/name",
            "must have 1 to 200 characters",
        )]));
    }
    let token = Token::generate(PREFIX);
    let prefix = token.text.chars().take(PREFIX.len() + 6).collect::<String>();
    let api_key = sqlx::query_as!(
        ApiKey,
        "INSERT INTO api_keys (id, user_id, name, prefix, sha256)
         SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM api_keys WHERE user_id = $2) < $6
         RETURNING id, name, prefix, created_at, last_used_at",
        Uuid::now_v7(),
        claims.sub.0,
        request.name.trim(),
        prefix,
        &token.sha256[..],
        MOST
    )
    .fetch_optional(&pool)
    .await?;
    let Some(api_key) = api_key else {
        return Err(Problem::conflict(
            "too-many-api-keys",
            "An account can have 20 API keys.",
        ));
    };
    let headers = [
        (header::LOCATION, format!("/v1/users/me/api-keys/{}", api_key.id)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((
        StatusCode::CREATED,
        headers,
        Json(NewApiKey {
            api_key,
            key: token.text,
        }),
    ))
}

/// Revokes a key. Tokens it was exchanged for expire within ten minutes.
#[utoipa::path(delete, path = "/v1/users/me/api-keys/{id}", tag = "account", security(("bearer" = [])),
    params(("id" = Uuid, Path)), responses(
    (status = 204),
    (status = 404, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_api_key(
    State(pool): State<PgPool>,
    User(claims): User,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Users;

    #[tokio::test]
    async fn a_key_is_shown_once_and_exchanged_until_it_is_revoked() {
        let users = Users::start().await;
        let ada = users.account("ada@souk.test").await;
        let eve = users.account("eve@souk.test").await;
        let made = users
            .post_as("/v1/users/me/api-keys", &ada, &json!({"name": "backup"}))
            .await;
        assert_eq!(made.status, 201);
        let key = made.body["key"].as_str().unwrap().to_owned();
        let listed = users.get("/v1/users/me/api-keys", &ada).await.body;
        assert_eq!(listed["items"][0]["name"], "backup");
        assert!(!listed.to_string().contains(&key));
        let exchange = json!({"key": key});
        let token = users.post("/internal/v1/api-keys/exchange", &exchange).await;
        assert_eq!((token.status, &token.body["expires_in"]), (200, &json!(600)));
        let me = users
            .get("/v1/users/me", token.body["access_token"].as_str().unwrap())
            .await;
        assert_eq!(me.body["email"], "ada@souk.test");
        let path = format!("/v1/users/me/api-keys/{}", made.body["id"].as_str().unwrap());
        assert_eq!(users.delete(&path, &eve).await.status, 404);
        assert_eq!(users.delete(&path, &ada).await.status, 204);
        assert_eq!(
            users
                .post("/internal/v1/api-keys/exchange", &exchange)
                .await
                .status,
            401
        );
    }
}
