//! `GET /v1/users`.

use axum::extract::State;
use serde::Deserialize;
use souk_http::{
    FieldError, Json, Problem, ProblemBody, Query,
    auth::Admin,
    page::{self, Limit, Page},
};
use sqlx::PgPool;
use utoipa::IntoParams;
use uuid::Uuid;

use super::UserDetails;
use crate::account::{Account, Row};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsersQuery {
    /// Part of the address or the name, at most 200 characters.
    #[serde(default)]
    q: Option<String>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
}

/// Accounts, newest first.
#[utoipa::path(get, path = "/v1/users", tag = "operators", security(("bearer" = [])), params(UsersQuery), responses(
    (status = 200, body = Page<UserDetails>),
    (status = 403, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn list_users(
    State(pool): State<PgPool>,
    _: Admin,
    Query(query): Query<UsersQuery>,
) -> Result<Json<Page<UserDetails>>, Problem> {
    let before: Option<Uuid> = query.cursor.as_deref().map(page::decode).transpose()?;
    let text = query.q.unwrap_or_default();
    if text.chars().count() > 200 {
        return Err(Problem::invalid(vec![FieldError::new(
            "/q",
            "must have at most 200 characters",
        )]));
    }
    // `%` and `_` are what the operator typed, not patterns.
    let pattern = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, email, name, password_hash, roles, verified_at, disabled_at, created_at, updated_at FROM users
         WHERE (email ILIKE '%' || $1 || '%' OR name ILIKE '%' || $1 || '%') AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3",
        pattern,
        before,
        i64::from(query.limit.get()) + 1
    )
    .fetch_all(&pool)
    .await?;
    let accounts = rows.into_iter().map(Account::from).collect();
    let page = Page::of(accounts, query.limit, |account: &Account| account.profile.id);
    Ok(Json(page.map(UserDetails::from)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Users;

    #[tokio::test]
    async fn operators_search_page_by_page_and_nobody_else() {
        let users = Users::start().await;
        let ada = users.account("ada@souk.test").await;
        users.register("a_b@souk.test").await;
        users.register("eve@elsewhere.test").await;
        let admin = users.admin().await;
        assert_eq!(users.get("/v1/users", &ada).await.status, 403);
        assert_eq!(users.get("/v1/users", "").await.status, 401);
        let first = users.get("/v1/users?q=SOUK.test&limit=2", &admin).await.body;
        assert_eq!(first["items"][0]["disabled"], json!(false));
        assert!(!first.to_string().contains("argon2"));
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = users
            .get(&format!("/v1/users?q=SOUK.test&limit=2&cursor={cursor}"), &admin)
            .await
            .body;
        let emails = |page: &serde_json::Value| -> Vec<String> {
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["email"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(emails(&first), ["root@souk.test", "a_b@souk.test"]);
        assert_eq!(
            (emails(&second), &second["next_cursor"]),
            (vec!["ada@souk.test".to_owned()], &json!(null))
        );
        assert_eq!(
            emails(&users.get("/v1/users?q=a_", &admin).await.body),
            ["a_b@souk.test"],
            "no wildcard"
        );
    }
}
