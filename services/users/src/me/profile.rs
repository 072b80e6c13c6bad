//! `GET` and `PATCH /v1/users/me`: the caller's account.

use axum::extract::State;
use contracts::UserId;
use serde::Deserialize;
use souk_http::{
    Json, Problem, ProblemBody,
    auth::{Session, User},
    detached,
};
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::{
    account::{
        self, Profile,
        events::{self, AccountChange},
    },
    error::Error,
};

/// Get my account
///
/// Returns the caller's account.
#[utoipa::path(get, path = "/v1/users/me", tag = "account", security(("bearer" = [])), responses(
    (status = 200, description = "The account", body = Profile),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 404, description = "The account does not exist any more", body = ProblemBody),
))]
pub(crate) async fn get_me(State(pool): State<PgPool>, User(claims): User) -> Result<Json<Profile>, Problem> {
    let mut connection = pool.acquire().await?;
    let account = account::find(&mut connection, claims.sub).await?;
    let account = account.ok_or(Error::NotFound("account"))?;
    Ok(Json(account.profile))
}

/// Changes to the caller's account. Absent and null fields leave their value unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchMe {
    /// New name of the owner: 1 to 200 characters, not only white space, and no control characters.
    #[serde(default)]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F][^\x00-\x1F\x7F-\x9F]*$",
        example = "Ada Lovelace"
    )]
    name: Option<String>,
}

/// Change my account
///
/// Changes the caller's account and returns it. API keys cannot be used for this.
#[utoipa::path(patch, path = "/v1/users/me", tag = "account", security(("bearer" = [])), request_body = PatchMe, responses(
    (status = 200, description = "The changed account", body = Profile),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 403, description = "The request uses an API key; this requires a login", body = ProblemBody),
    (status = 404, description = "The account does not exist any more", body = ProblemBody),
    (status = 422, description = "A field is not valid", body = ProblemBody),
))]
pub(crate) async fn patch_me(
    State(pool): State<PgPool>,
    Session { claims, .. }: Session,
    Json(patch): Json<PatchMe>,
) -> Result<Json<Profile>, Problem> {
    if let Some(name) = &patch.name {
        if !account::is_valid_name(name) {
            return Err(Error::field("/name", "must have 1 to 200 characters").into());
        }
        rename(pool.clone(), claims.sub, name.trim().to_owned()).await?;
    }
    get_me(State(pool), User(claims)).await
}

/// Changes the name and records the event, unless the name is unchanged.
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
            events::record(&mut transaction, id, AccountChange::Changed).await?;
        }
        transaction.commit().await
    })
    .await
}
