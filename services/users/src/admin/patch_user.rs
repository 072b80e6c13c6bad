//! `PATCH /v1/users/{id}`: changes the roles of an account, or disables or enables it.

use axum::extract::State;
use chrono::Utc;
use contracts::UserId;
use serde::{Deserialize, Serialize};
use souk_http::{
    Json, Path, Problem, ProblemBody,
    auth::{Admin, Role},
    detached,
};
use sqlx::{Connection, PgConnection, PgPool, types::Json as Jsonb};
use utoipa::ToSchema;

use super::UserDetails;
use crate::{
    account::{
        self,
        events::{self, AccountChange},
    },
    error::Error,
    session,
};

/// Changes to an account. Absent and null fields leave their value unchanged.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchUser {
    /// The new roles of the account, at least one. They replace all current roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1)]
    roles: Option<Vec<Role>>,
    /// True to disable the account, which ends its sessions; false to enable it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = true)]
    disabled: Option<bool>,
    /// Reason for the change, stored with the record of the change; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, pattern = r"^[^\x00]*$", example = "Fraudulent orders")]
    reason: Option<String>,
}

/// Change an account
///
/// Changes the roles of an account, or disables or enables it. For operators only, and not for their own account. New roles
/// take effect with the account's next access token, within ten minutes. The change is recorded with its reason.
#[utoipa::path(patch, path = "/v1/users/{id}", tag = "operators", security(("bearer" = [])),
    params(("id" = UserId, Path, description = "Id of the account")), request_body = PatchUser, responses(
    (status = 200, description = "The changed account", body = UserDetails),
    (status = 401, description = "The access token is missing or not valid", body = ProblemBody),
    (status = 403, description = "The caller is not an operator", body = ProblemBody),
    (status = 404, description = "There is no such account", body = ProblemBody),
    (status = 409, description = "Operators cannot change their own account", body = ProblemBody),
    (status = 422, description = "A field is not valid", body = ProblemBody),
))]
pub(crate) async fn patch_user(
    State(pool): State<PgPool>,
    Admin(actor): Admin,
    Path(id): Path<UserId>,
    Json(mut patch): Json<PatchUser>,
) -> Result<Json<UserDetails>, Problem> {
    if patch.roles.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::field("/roles", "must have at least one role").into());
    }
    if patch
        .reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > 500)
    {
        return Err(Error::field("/reason", "must have at most 500 characters").into());
    }
    // An operator who locks themselves out cannot undo it, and the shop could be left without operators.
    if id == actor.sub {
        return Err(Error::OwnAccount.into());
    }
    if let Some(roles) = &mut patch.roles {
        roles.sort_unstable();
        roles.dedup();
    }
    detached(async move {
        let mut connection = pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        let was_disabled = lock(&mut transaction, id).await?;
        let was_disabled = was_disabled.ok_or(Error::NotFound("user"))?;
        update(&mut transaction, id, &patch).await?;
        let account = account::find(&mut transaction, id).await?;
        let account = account.ok_or(Error::NotFound("user"))?;
        if account.disabled {
            session::end_all(&mut transaction, id, None, "disabled", Utc::now()).await?;
        }
        // The record stores the reason in a separate column.
        let reason = patch.reason.take();
        record(&mut transaction, id, actor.sub, &patch, reason.as_deref()).await?;
        match (was_disabled, account.disabled) {
            (false, true) => events::record(&mut transaction, id, AccountChange::Disabled { reason }).await?,
            (true, false) => events::record(&mut transaction, id, AccountChange::Enabled).await?,
            _ => {}
        }
        transaction.commit().await?;
        Ok(Json(account.into()))
    })
    .await
}

/// Locks an account's row and returns whether the account is disabled; `None` if it does not exist.
async fn lock(connection: &mut PgConnection, id: UserId) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar!(
        r#"SELECT disabled_at IS NOT NULL AS "disabled!" FROM users WHERE id = $1 FOR UPDATE"#,
        id.0
    )
    .fetch_optional(connection)
    .await
}

async fn update(connection: &mut PgConnection, id: UserId, patch: &PatchUser) -> sqlx::Result<()> {
    let roles: Option<Vec<String>> = patch.roles.as_ref().map(|roles| {
        roles
            .iter()
            .map(|role| account::role_name(*role).to_owned())
            .collect()
    });
    sqlx::query!(
        "UPDATE users SET roles = coalesce($2, roles), updated_at = now(),
             disabled_at = CASE WHEN $3::boolean IS NULL THEN disabled_at WHEN $3 THEN coalesce(disabled_at, now()) END
         WHERE id = $1",
        id.0,
        roles.as_deref(),
        patch.disabled
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Records who changed what and why.
async fn record(
    connection: &mut PgConnection,
    id: UserId,
    actor: UserId,
    change: &PatchUser,
    reason: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO account_changes (user_id, actor_id, change, reason) VALUES ($1, $2, $3, $4)",
        id.0,
        actor.0,
        Jsonb(change) as _,
        reason
    )
    .execute(connection)
    .await
    .map(|_| ())
}
