//! `POST /v1/auth/login`.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::Utc;
use http::header;
use serde::Deserialize;
use souk_http::{Json, Problem, ProblemBody, detached};
use sqlx::Connection;
use utoipa::ToSchema;

use crate::{
    account::{self, Account},
    app, cookie,
    email::Email,
    session, throttle,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// The account's address.
    #[schema(example = "demo@souk.test")]
    email: String,
    /// The account's password.
    #[schema(format = Password)]
    password: String,
    /// Where the refresh token goes.
    #[serde(default)]
    session: Transport,
}

/// How a client keeps its refresh token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Transport {
    /// In the body of the answer.
    #[default]
    Token,
    /// In a cookie that scripts cannot read; for browsers.
    Cookie,
}

/// Begins a session. An unknown address, a wrong password, and an account that is unverified or disabled look the same
/// and take the same time.
#[utoipa::path(post, path = "/v1/auth/login", tag = "auth", request_body = LoginRequest, responses(
    (status = 200, body = session::TokenResponse),
    (status = 401, body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Five failures in a row; see Retry-After", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn log_in(
    State(app): State<app::State>,
    Json(request): Json<LoginRequest>,
) -> Result<Response, Problem> {
    let transport = request.session;
    let response = detached(async move {
        let account = authenticate(&app, &request.email, request.password).await?;
        let mut connection = app.pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        let grant = session::start(&mut transaction, &account.profile, Utc::now()).await?;
        transaction.commit().await?;
        grant.sign(&app.keyring).await
    })
    .await?;
    respond(response, transport)
}

/// The account of this address and password.
async fn authenticate(app: &app::State, email: &str, password: String) -> Result<Account, Problem> {
    let refused = || Problem::unauthorized("The mail address or the password is wrong.");
    // The turn comes first: what the throttle says while it is held is no older than the last few attempts.
    let turn = app.passwords.turn().await?;
    let Some(email) = Email::parse(email).filter(|_| password.chars().count() <= 128) else {
        turn.verify("too long or no address".into(), None).await?;
        return Err(refused());
    };
    let account = {
        let mut connection = app.pool.acquire().await?;
        throttle::check(&mut connection, &email).await?;
        account::find_by_email(&mut connection, &email).await?
    };
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    let matches = turn.verify(password, stored).await?;
    let mut connection = app.pool.acquire().await?;
    if let Some(account) = account.filter(|account| matches && account.is_usable()) {
        throttle::forget(&mut connection, &email).await?;
        Ok(account)
    } else {
        throttle::fail(&mut connection, &email).await?;
        Err(refused())
    }
}

/// The tokens as the client asked for them. Neither may be kept by a cache.
pub(crate) fn respond(mut tokens: session::TokenResponse, transport: Transport) -> Result<Response, Problem> {
    let cookie = match transport {
        Transport::Token => None,
        Transport::Cookie => tokens
            .refresh_token
            .take()
            .map(|token| cookie::set(&token))
            .transpose()?,
    };
    let mut response = ([(header::CACHE_CONTROL, "no-store")], Json(tokens)).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{PASSWORD, Users};

    #[tokio::test]
    async fn gives_tokens_that_any_service_accepts() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let answer = users.login("ADA@souk.test", PASSWORD).await;
        assert_eq!(
            (
                answer.status,
                &answer.body["token_type"],
                &answer.body["expires_in"]
            ),
            (200, &json!("Bearer"), &json!(600))
        );
        assert!(answer.body["refresh_token"].is_string());
        let claims = users
            .verifier()
            .verify(answer.body["access_token"].as_str().unwrap())
            .await
            .unwrap();
        assert_eq!(claims.exp - claims.iat, 600);
        assert!(claims.sid.is_some() && !claims.is_admin());
    }

    #[tokio::test]
    async fn an_unknown_user_looks_like_a_wrong_password() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let wrong = users.login("ada@souk.test", "not the password").await;
        let unknown = users.login("eve@souk.test", "not the password").await;
        assert_eq!((wrong.status, &wrong.body), (401, &unknown.body));
        assert_eq!(wrong.status, unknown.status);
    }

    #[tokio::test]
    async fn five_failures_close_the_account_even_to_its_owner() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        for email in ["ada@souk.test", "nobody@souk.test"] {
            for attempt in 1..=5 {
                assert_eq!(
                    users.login(email, "not the password").await.status,
                    401,
                    "{email} {attempt}"
                );
            }
            let sixth = users.login(email, "not the password").await;
            assert_eq!(sixth.status, 429, "{email}");
            let seconds: u64 = sixth.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((55..=61).contains(&seconds), "{seconds}");
        }
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 429);
        users.sql("UPDATE login_failures SET blocked_until = now()").await;
        assert_eq!(users.login("ada@souk.test", PASSWORD).await.status, 200);
        assert_eq!(
            users.login("ada@souk.test", "not the password").await.status,
            401,
            "counted anew"
        );
    }

    #[tokio::test]
    async fn a_burst_of_guesses_is_throttled_too() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let guesses = (0..40).map(|_| users.login("ada@souk.test", "not the password"));
        let answers = futures::future::join_all(guesses).await;
        let tried = answers.iter().filter(|answer| answer.status == 401).count();
        let cores = std::thread::available_parallelism().unwrap().get();
        assert!(tried < 5 + cores, "{tried} guesses were checked");
    }
}
