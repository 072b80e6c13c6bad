//! `GET` and `PATCH /v1/users/me`.

use axum::extract::State;
use contracts::UserId;
use serde::Deserialize;
use souk_http::{
    FieldError, Json, Problem, ProblemBody,
    auth::{Session, User},
    detached,
};
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::account::{
    self, Profile,
    events::{self, Happened},
};

/// The caller's account.
#[utoipa::path(get, path = "/v1/users/me", tag = "account", security(("bearer" = [])), responses(
    (status = 200, body = Profile),
    (status = 401, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn get_me(State(pool): State<PgPool>, User(claims): User) -> Result<Json<Profile>, Problem> {
    let mut connection = pool.acquire().await?;
    let account = account::find(&mut connection, claims.sub).await?;
    account
        .map(|account| Json(account.profile))
        .ok_or_else(|| Problem::not_found("account"))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchMe {
    /// What to call the owner, 1 to 200 characters.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
}

/// Changes the caller's account; what is absent stays. Not for API keys.
#[utoipa::path(patch, path = "/v1/users/me", tag = "account", security(("bearer" = [])), request_body = PatchMe, responses(
    (status = 200, body = Profile),
    (status = 403, description = "With an API key", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn patch_me(
    State(pool): State<PgPool>,
    Session { claims, .. }: Session,
    Json(patch): Json<PatchMe>,
) -> Result<Json<Profile>, Problem> {
    if let Some(name) = &patch.name {
        if !account::is_name(name) {
            return Err(Problem::invalid(vec![FieldError::new(
                "/name",
                "must have 1 to 200 characters",
            )]));
        }
        rename(pool.clone(), claims.sub, name.trim().to_owned()).await?;
    }
    get_me(State(pool), User(claims)).await
}

/// A name that is the old one is no change.
async fn rename(pool: PgPool, id: UserId, name: String) -> sqlx::Result<()> {
    detached(async move {
        let mut transaction = pool.begin().await?;
        let done = sqlx::query!(
            "UPDATE users SET name = $2, updated_at = now() WHERE id = $1 AND name <> $2",
            id.0,
            name
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 1 {
            events::tell(&mut transaction, id, Happened::Changed).await?;
        }
        transaction.commit().await
    })
    .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Users;

    #[tokio::test]
    async fn shows_and_changes_the_callers_own_account_but_no_role() {
        let users = Users::start().await;
        let ada = users.account("ada@souk.test").await;
        let me = users.get("/v1/users/me", &ada).await;
        assert_eq!(
            (me.status, &me.body["email"], &me.body["roles"]),
            (200, &json!("ada@souk.test"), &json!(["customer"]))
        );
        let changed = users
            .patch("/v1/users/me", &ada, &json!({"name": "Countess"}))
            .await;
        assert_eq!((changed.status, &changed.body["name"]), (200, &json!("Countess")));
        let refused = users
            .patch("/v1/users/me", &ada, &json!({"roles": ["admin"]}))
            .await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["/roles".into()]));
        assert_eq!(users.get("/v1/users/me", "").await.status, 401);
        assert_eq!(users.get("/v1/users/me", "nonsense").await.status, 401);
    }
}
