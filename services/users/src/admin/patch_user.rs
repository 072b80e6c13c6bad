//! `PATCH /v1/users/{id}`.

use axum::extract::State;
use chrono::Utc;
use contracts::UserId;
use serde::{Deserialize, Serialize};
use souk_http::{
    FieldError, Json, Path, Problem, ProblemBody,
    auth::{Admin, Role},
    detached,
};
use sqlx::{Connection, PgConnection, PgPool, types::Json as Jsonb};
use utoipa::ToSchema;

use super::UserDetails;
use crate::{
    account::{
        self,
        events::{self, Happened},
    },
    session,
};

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchUser {
    /// All roles that the account shall have, at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<Role>>,
    /// Whether it is kept from logging in; its sessions end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled: Option<bool>,
    /// Why, for the record; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Changes an account's roles, or disables it. Roles count from the account's next token, within ten minutes.
#[utoipa::path(patch, path = "/v1/users/{id}", tag = "operators", security(("bearer" = [])),
    params(("id" = UserId, Path)), request_body = PatchUser, responses(
    (status = 200, body = UserDetails),
    (status = 403, body = ProblemBody, content_type = "application/problem+json"),
    (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "One's own account", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn patch_user(
    State(pool): State<PgPool>,
    Admin(actor): Admin,
    Path(id): Path<UserId>,
    Json(mut patch): Json<PatchUser>,
) -> Result<Json<UserDetails>, Problem> {
    if patch.roles.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::invalid(vec![FieldError::new(
            "/roles",
            "must have at least one role",
        )]));
    }
    if patch
        .reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > 500)
    {
        return Err(Problem::invalid(vec![FieldError::new(
            "/reason",
            "must have at most 500 characters",
        )]));
    }
    // Whoever locks themselves out cannot undo it, and the shop may be left without an operator.
    if id == actor.sub {
        return Err(Problem::conflict(
            "own-account",
            "Another operator must change your account.",
        ));
    }
    if let Some(roles) = &mut patch.roles {
        roles.sort_unstable();
        roles.dedup();
    }
    detached(async move {
        let mut connection = pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        let was_disabled = lock(&mut transaction, id).await?;
        let was_disabled = was_disabled.ok_or_else(|| Problem::not_found("user"))?;
        update(&mut transaction, id, &patch).await?;
        let account = account::find(&mut transaction, id).await?;
        let account = account.ok_or_else(|| Problem::not_found("user"))?;
        if account.disabled {
            session::end_all(&mut transaction, id, None, "disabled", Utc::now()).await?;
        }
        // The record has it in a column of its own.
        let reason = patch.reason.take();
        record(&mut transaction, id, actor.sub, &patch, reason.as_deref()).await?;
        match (was_disabled, account.disabled) {
            (false, true) => events::tell(&mut transaction, id, Happened::Disabled { reason }).await?,
            (true, false) => events::tell(&mut transaction, id, Happened::Enabled).await?,
            _ => {}
        }
        transaction.commit().await?;
        Ok(Json(account.into()))
    })
    .await
}

/// Keeps others from changing it, and says whether it is disabled.
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
            .map(|role| account::name_of(*role).to_owned())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{PASSWORD, Users};

    #[tokio::test]
    async fn operators_disable_and_promote_and_it_is_recorded() {
        let users = Users::start().await;
        let ada = users.account("ada@souk.test").await;
        let admin = users.admin().await;
        let id = |body: &serde_json::Value| body["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/users/{}", id(&users.get("/v1/users/me", &ada).await.body));
        let own = format!("/v1/users/{}", id(&users.get("/v1/users/me", &admin).await.body));
        assert_eq!(
            users
                .patch(&path, &ada, &json!({"roles": ["admin"]}))
                .await
                .status,
            403
        );
        assert_eq!(
            users.patch(&own, &admin, &json!({"disabled": true})).await.status,
            409
        );
        for bad in [
            json!({"roles": []}),
            json!({"roles": ["root"]}),
            json!({"email": "x@souk.test"}),
        ] {
            assert_eq!(users.patch(&path, &admin, &bad).await.status, 422, "{bad}");
        }
        let nobody = "/v1/users/019283bc-0000-7000-8000-000000000000";
        assert_eq!(
            users
                .patch(nobody, &admin, &json!({"disabled": true}))
                .await
                .status,
            404
        );

        let session = users.login("ada@souk.test", PASSWORD).await.body["refresh_token"].clone();
        let answer = users
            .patch(&path, &admin, &json!({"disabled": true, "reason": "fraud"}))
            .await;
        assert_eq!((answer.status, &answer.body["disabled"]), (200, &json!(true)));
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
        let answer = users
            .patch(
                &path,
                &admin,
                &json!({"disabled": false, "roles": ["customer", "admin"]}),
            )
            .await;
        assert_eq!(
            (&answer.body["disabled"], &answer.body["roles"]),
            (&json!(false), &json!(["customer", "admin"]))
        );
        assert_eq!(
            users
                .post("/v1/auth/refresh", &json!({"refresh_token": session}))
                .await
                .status,
            401,
            "ended for good"
        );
        let token = users.login("ada@souk.test", PASSWORD).await.body["access_token"].clone();
        assert_eq!(users.get("/v1/users", token.as_str().unwrap()).await.status, 200);
        assert_eq!(
            users
                .count("SELECT count(*) FROM account_changes WHERE actor_id <> user_id")
                .await,
            2
        );
        assert_eq!(
            users
                .count("SELECT count(*) FROM account_changes WHERE reason = 'fraud'")
                .await,
            1
        );
    }
}
