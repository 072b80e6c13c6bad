//! `PUT /v1/users/me/password`.

use axum::extract::State;
use chrono::Utc;
use http::StatusCode;
use serde::Deserialize;
use souk_http::{FieldError, Json, Problem, ProblemBody, auth::User, detached};
use sqlx::Connection;
use utoipa::ToSchema;

use crate::{
    account::{
        self,
        events::{self, Happened},
    },
    app,
    email::Email,
    password, session,
    throttle::{self, ClientAddress, Source},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutPassword {
    /// The present one.
    #[schema(format = Password)]
    current_password: String,
    /// 15 to 128 characters, none of the common ones.
    #[schema(format = Password, min_length = 15, max_length = 128)]
    new_password: String,
}

/// Changes the password and ends all other sessions. Wrong current passwords are throttled as failed logins are,
/// for this session alone.
#[utoipa::path(put, path = "/v1/users/me/password", tag = "account", security(("bearer" = [])), request_body = PutPassword, responses(
    (status = 204),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn put_password(
    State(app): State<app::State>,
    User(claims): User,
    address: ClientAddress,
    Json(request): Json<PutPassword>,
) -> Result<StatusCode, Problem> {
    let source = claims.sid.map_or(Source::Address(address), Source::Session);
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
            .verify(request.current_password, Some(account.password_hash))
            .await?;
        drop(turn);
        if !matches {
            return Err(Problem::invalid(vec![FieldError::new(
                "/current_password",
                "is not your password",
            )]));
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
        sqlx::query!(
            "UPDATE users SET password_hash = $2, updated_at = now() WHERE id = $1",
            claims.sub.0,
            hash
        )
        .execute(&mut *transaction)
        .await?;
        session::end_all(
            &mut transaction,
            claims.sub,
            claims.sid,
            "new password",
            Utc::now(),
        )
        .await?;
        events::tell(&mut transaction, claims.sub, Happened::PasswordChanged).await?;
        transaction.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
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
}
