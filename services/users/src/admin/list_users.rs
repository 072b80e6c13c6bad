//! `GET /v1/users`: lists and searches accounts.

use axum::extract::State;
use serde::Deserialize;
use souk_http::{
    Json, Problem, ProblemBody, Query,
    auth::Admin,
    page::{self, Limit, Page},
};
use sqlx::PgPool;
use utoipa::IntoParams;
use uuid::Uuid;

use super::UserDetails;
use crate::{
    account::{Account, Row},
    error::Error,
};

/// Search text and page of a list of accounts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsersQuery {
    /// Return only accounts whose email address or name contains this text; case does not matter.
    #[serde(default)]
    #[param(max_length = 200, pattern = r"^[^\x00]*$")]
    q: Option<String>,
    /// Maximum number of accounts in the page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `next_cursor` of the previous page; absent for the first page.
    #[serde(default)]
    cursor: Option<String>,
}

/// List accounts
///
/// Lists all accounts, newest first. For operators only.
#[utoipa::path(get, path = "/v1/users", tag = "operators", security(("bearer" = [])), params(UsersQuery), responses(
    (status = 200, description = "A page of accounts", body = Page<UserDetails>),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 403, description = "The caller is not an operator", body = ProblemBody),
    (status = 422, description = "A parameter is unknown or not valid", body = ProblemBody),
))]
pub(crate) async fn list_users(
    State(pool): State<PgPool>,
    _: Admin,
    Query(query): Query<UsersQuery>,
) -> Result<Json<Page<UserDetails>>, Problem> {
    let before: Option<Uuid> = query.cursor.as_deref().map(page::decode).transpose()?;
    let text = query.q.unwrap_or_default();
    if text.chars().count() > 200 {
        return Err(Error::field("/q", "must have at most 200 characters").into());
    }
    // Escape the wildcards of LIKE, so that they match literally.
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
