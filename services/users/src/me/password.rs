//! `PUT /v1/users/me/password`.

use axum::extract::State;
use chrono::Utc;
use http::StatusCode;
use serde::Deserialize;
use souk_http::{FieldError, Json, Problem, ProblemBody, auth::Session, detached};
use sqlx::{Connection, PgConnection};
use utoipa::ToSchema;

use crate::{
    account::{
        self, Account,
        events::{self, Happened},
    },
    app,
    email::Email,
    me::api_key,
    password, session,
    throttle::{self, Source},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutPassword {
    /// The current one.
    #[schema(format = Password)]
    current_password: String,
    /// 15 to 128 characters, none of the common ones.
    #[schema(format = Password, min_length = 15, max_length = 128)]
    new_password: String,
    /// Whether the account's API keys stay valid. Otherwise all of them end.
    #[serde(default)]
    keep_api_keys: bool,
}

/// Changes the password. All other sessions end, and so do all API keys, unless the request keeps them. Wrong current
/// passwords are throttled as failed logins are, for this session alone. Not for API keys.
#[utoipa::path(put, path = "/v1/users/me/password", tag = "account", security(("bearer" = [])), request_body = PutPassword, responses(
    (status = 204),
    (status = 401, body = ProblemBody, content_type = "application/problem+json"),
    (status = 403, description = "With an API key", body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many wrong passwords; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
    (status = 503, description = "Too many passwords are checked at the moment; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn put_password(
    State(app): State<app::State>,
    Session { claims, id }: Session,
    Json(request): Json<PutPassword>,
) -> Result<StatusCode, Problem> {
    let source = Source::Session(id);
    detached(async move {
        let turn = app.passwords.turn().await?;
        let (account, email) = {
            let mut connection = app.pool.acquire().await?;
            let account = account::find(&mut connection, claims.sub).await?;
            let account = account.ok_or_else(|| Problem::not_found("account"))?;
            let email = Email::parse(&account.profile.email)
                .ok_or_else(|| Problem::internal("a stored address is none"))?;
            throttle::begin(&mut connection, &email, source).await?;
            (account, email)
        };
        let matches = turn
            .verify(request.current_password, Some(account.password_hash.clone()))
            .await?;
        drop(turn);
        if !matches {
            return Err(wrong());
        }
        throttle::succeed(&mut *app.pool.acquire().await?, &email, source).await?;
        if let Some(objection) = password::objection(&request.new_password, email.as_str()) {
            return Err(Problem::invalid(vec![FieldError::new(
                "/new_password",
                objection,
            )]));
        }
        let hash = app.passwords.hash(request.new_password).await?;
        let mut connection = app.pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        // It may have been changed, or the session ended, since the current password was checked.
        if !replace(&mut transaction, &account, &hash).await? {
            return Err(wrong());
        }
        session::require_live(&mut transaction, id).await?;
        session::end_all(&mut transaction, claims.sub, Some(id), "new password", Utc::now()).await?;
        if !request.keep_api_keys {
            api_key::end_all(&mut transaction, claims.sub).await?;
        }
        events::tell(&mut transaction, claims.sub, Happened::PasswordChanged).await?;
        transaction.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn wrong() -> Problem {
    Problem::invalid(vec![FieldError::new("/current_password", "is not your password")])
}

/// Whether the account still had the password that was checked.
async fn replace(connection: &mut PgConnection, account: &Account, hash: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "UPDATE users SET password_hash = $3, updated_at = now() WHERE id = $1 AND password_hash = $2",
        account.profile.id.0,
        account.password_hash,
        hash
    );
    Ok(done.execute(connection).await?.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{PASSWORD, Users};

    #[tokio::test]
    async fn changes_the_password_and_ends_the_other_sessions() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let other = users.login("ada@souk.test", PASSWORD).await;
        let here = users.login("ada@souk.test", PASSWORD).await;
        let token = here.body["access_token"].as_str().unwrap();
        let put = |current: &'static str, new: &'static str| {
            users.put(
                "/v1/users/me/password",
                token,
                json!({"current_password": current, "new_password": new}),
            )
        };
        assert_eq!(
            put("not the password", "a new password of ada").await.pointers(),
            ["/current_password"]
        );
        assert_eq!(put(PASSWORD, "too short").await.pointers(), ["/new_password"]);
        assert_eq!(put(PASSWORD, "a new password of ada").await.status, 204);
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 401);
        assert_eq!(
            users.login("ada@souk.test", "a new password of ada").await.status,
            200
        );
        for (answer, status) in [(other, 401), (here, 200)] {
            let body = json!({"refresh_token": answer.body["refresh_token"]});
            assert_eq!(users.post("/v1/auth/refresh", &body).await.status, status);
        }
    }
    #[tokio::test]
    async fn ends_the_api_keys_unless_they_are_kept() {
        let users = Users::start().await;
        let ada = users.account("ada@souk.test").await;
        let key = users.api_key(&ada, &json!({"name": "backup"})).await;
        let exchange = async || {
            let body = json!({"key": key});
            users.post("/internal/v1/api-keys/exchange", &body).await.status
        };
        let put = async |current: &str, new: &str, keep: bool| {
            let body = json!({"current_password": current, "new_password": new, "keep_api_keys": keep});
            users.put("/v1/users/me/password", &ada, body).await.status
        };
        assert_eq!(put(PASSWORD, "a new password of ada", true).await, 204);
        assert_eq!(exchange().await, 200);
        assert_eq!(put("a new password of ada", PASSWORD, false).await, 204);
        assert_eq!(exchange().await, 401);
    }

    #[tokio::test]
    async fn a_session_that_has_ended_changes_no_password() {
        let users = Users::start().await;
        let ada = users.account("ada@souk.test").await;
        users.sql("UPDATE sessions SET revoked_at = now()").await;
        let body = json!({"current_password": PASSWORD, "new_password": "a new password of ada"});
        assert_eq!(users.put("/v1/users/me/password", &ada, body).await.status, 401);
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
    }

    #[tokio::test]
    async fn another_sessions_guesses_do_not_slow_this_one_down() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let mut tokens = vec![];
        for _ in 0..2 {
            let login = users.login("ada@souk.test", PASSWORD).await;
            tokens.push(login.body["access_token"].as_str().unwrap().to_owned());
        }
        let put = async |token: &str, current: &str| {
            let body = json!({"current_password": current, "new_password": "a new password of ada"});
            users.put("/v1/users/me/password", token, body).await.status
        };
        for _ in 0..5 {
            assert_eq!(put(&tokens[0], "not the password").await, 422);
        }
        assert_eq!(put(&tokens[0], PASSWORD).await, 429);
        assert_eq!(put(&tokens[1], PASSWORD).await, 204);
    }
}
