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
    app,
    cookie::{self, DeviceToken},
    device,
    email::Email,
    session,
    throttle::{self, ClientAddress, Source},
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

/// Starts a session. An unknown address, a wrong password, and an account that is unverified or disabled look the same
/// and take the same time. After five failures the client's address has to wait before the next attempt, and after five
/// failures from anywhere so has every address. A browser in which the owner has logged in before waits only for its
/// own failures.
#[utoipa::path(post, path = "/v1/auth/login", tag = "auth", request_body = LoginRequest, responses(
    (status = 200, body = session::TokenResponse),
    (status = 401, body = ProblemBody, content_type = "application/problem+json"),
    (status = 422, body = ProblemBody, content_type = "application/problem+json"),
    (status = 429, description = "Too many failed logins. After `Retry-After` the next attempt from the same address is checked",
        body = ProblemBody, content_type = "application/problem+json"),
    (status = 503, description = "Too many logins at the moment; see `Retry-After`", body = ProblemBody, content_type = "application/problem+json"),
))]
pub(crate) async fn log_in(
    State(app): State<app::State>,
    address: ClientAddress,
    DeviceToken(device): DeviceToken,
    Json(request): Json<LoginRequest>,
) -> Result<Response, Problem> {
    let transport = request.session;
    let (tokens, device) = detached(async move {
        let account = authenticate(&app, &request, address, device.as_deref()).await?;
        let mut connection = app.pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        // The password may have been changed since it was checked; then the other sessions have ended, and so must this.
        if !account::is_current(&mut transaction, &account).await? {
            return Err(refused());
        }
        let grant = session::start(&mut transaction, &account.profile, Utc::now()).await?;
        let device = match transport {
            Transport::Token => None,
            Transport::Cookie => {
                Some(device::remember(&mut transaction, account.profile.id, device.as_deref()).await?)
            }
        };
        transaction.commit().await?;
        Ok::<_, Problem>((grant.sign(&app.keyring).await?, device))
    })
    .await?;
    let mut response = respond(tokens, transport)?;
    if let Some(token) = device {
        response
            .headers_mut()
            .append(header::SET_COOKIE, cookie::set_device(&token)?);
    }
    Ok(response)
}

fn refused() -> Problem {
    Problem::unauthorized("The mail address or the password is wrong.")
}

/// The account of this address and password.
async fn authenticate(
    app: &app::State,
    request: &LoginRequest,
    address: ClientAddress,
    device: Option<&str>,
) -> Result<Account, Problem> {
    let password = request.password.clone();
    // The turn comes first: nobody can have more attempts counted, but not yet checked, than there are turns.
    let turn = app.passwords.turn().await?;
    let Some(email) = Email::parse(&request.email).filter(|_| password.chars().count() <= 128) else {
        turn.verify("too long or no address".into(), None).await?;
        return Err(refused());
    };
    let (account, source) = {
        let mut connection = app.pool.acquire().await?;
        let source = match device {
            Some(token) => device::find(&mut connection, &email, token).await?,
            None => None,
        };
        let source = source.map_or(Source::Address(address), Source::Device);
        throttle::begin(&mut connection, &email, source).await?;
        (account::find_by_email(&mut connection, &email).await?, source)
    };
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    let matches = turn.verify(password, stored).await?;
    let account = account.filter(|account| matches && account.is_usable());
    let account = account.ok_or_else(refused)?;
    throttle::succeed(&mut *app.pool.acquire().await?, &email, source).await?;
    Ok(account)
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
    use reqwest::Method;
    use serde_json::json;

    use crate::{
        account,
        email::Email,
        testing::{Answer, PASSWORD, Users},
    };

    const WRONG: &str = "not the password";

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
        let wrong = users.login("ada@souk.test", WRONG).await;
        let unknown = users.login("eve@souk.test", WRONG).await;
        assert_eq!((wrong.status, &wrong.body), (401, &unknown.body));
        assert_eq!(wrong.status, unknown.status);
    }

    /// A login as the gateway passes it on.
    async fn login_from(users: &Users, address: &str, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        let request = users.request(Method::POST, "/v1/auth/login");
        users
            .send(request.header("x-internal-client-address", address).json(&body))
            .await
    }

    /// Lets the time pass for which sources are blocked.
    async fn wait(users: &Users) {
        users
            .sql("UPDATE login_sources SET blocked_until = least(blocked_until, now())")
            .await;
    }

    fn retry_after(answer: &Answer) -> u64 {
        answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn five_failures_make_the_address_wait_whether_or_not_the_account_exists() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        for email in ["ada@souk.test", "nobody@souk.test"] {
            for attempt in 1..=5 {
                let answer = login_from(&users, "192.0.2.1", email, WRONG).await;
                assert_eq!(answer.status, 401, "{email} {attempt}");
            }
            let sixth = login_from(&users, "192.0.2.1", email, WRONG).await;
            assert_eq!(
                (sixth.status, sixth.body["title"].as_str()),
                (429, Some("Too many failed logins"))
            );
            assert!((55..=61).contains(&retry_after(&sixth)));
        }
        let blocked = login_from(&users, "192.0.2.1", "ada@souk.test", PASSWORD).await;
        assert_eq!(blocked.status, 429, "a right password does not show");
        wait(&users).await;
        let waited = login_from(&users, "192.0.2.1", "ada@souk.test", PASSWORD).await;
        assert_eq!(waited.status, 200);
        let forgotten = login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
        assert_eq!(forgotten.status, 401, "the count starts again");
    }

    #[tokio::test]
    async fn guesses_from_many_addresses_must_wait_too() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        for email in ["ada@souk.test", "nobody@souk.test"] {
            for number in 1..=5 {
                let address = format!("192.0.2.{number}");
                assert_eq!(login_from(&users, &address, email, WRONG).await.status, 401);
            }
            for number in 6..=20 {
                let address = format!("192.0.2.{number}");
                let refused = login_from(&users, &address, email, PASSWORD).await;
                assert_eq!(refused.status, 429, "{email} {number}");
            }
        }
        assert_eq!(
            users
                .count("SELECT max(failures)::bigint FROM login_failures")
                .await,
            5,
            "what was not checked does not count"
        );
    }

    #[tokio::test]
    async fn one_bad_login_every_15_minutes_does_not_keep_the_owner_out() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        for _ in 0..100 {
            wait(&users).await;
            login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
        }
        let first = login_from(&users, "203.0.113.7", "ada@souk.test", PASSWORD).await;
        assert_eq!((first.status, retry_after(&first)), (429, 901));
        wait(&users).await;
        // The next bad login comes first.
        let bad = login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
        assert_eq!(bad.status, 401);
        let owner = login_from(&users, "203.0.113.7", "ada@souk.test", PASSWORD).await;
        assert_eq!(owner.status, 200);
    }

    #[tokio::test]
    async fn a_known_device_gets_through_while_others_guess() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        users.register("eve@souk.test").await;
        let ada = device(&users, "ada@souk.test").await;
        let eve = device(&users, "eve@souk.test").await;
        for _ in 0..7 {
            login_from(&users, "192.0.2.1", "ada@souk.test", WRONG).await;
        }
        let from_browser = |cookie: String, password: &'static str| {
            let body = json!({"email": "ada@souk.test", "password": password, "session": "cookie"});
            let request = users.request(Method::POST, "/v1/auth/login");
            users.send(
                request
                    .header("x-internal-client-address", "192.0.2.1")
                    .header("cookie", cookie)
                    .json(&body),
            )
        };
        assert_eq!(from_browser(eve, PASSWORD).await.status, 429, "another's device");
        assert_eq!(
            from_browser("souk_device=souk_dt_x".into(), PASSWORD)
                .await
                .status,
            429
        );
        let known = from_browser(ada.clone(), PASSWORD).await;
        assert_eq!(known.status, 200);
        assert_eq!(device_cookie(&known), ada, "the browser keeps its token");
        let elsewhere = login_from(&users, "192.0.2.1", "ada@souk.test", PASSWORD).await;
        assert_eq!(elsewhere.status, 429, "the guesses are not forgotten");
        // A device that was copied guesses no faster.
        for _ in 0..5 {
            assert_eq!(from_browser(ada.clone(), WRONG).await.status, 401);
        }
        assert_eq!(from_browser(ada, PASSWORD).await.status, 429);
    }

    async fn device(users: &Users, email: &str) -> String {
        let body = json!({"email": email, "password": PASSWORD, "session": "cookie"});
        device_cookie(&users.post("/v1/auth/login", &body).await)
    }

    fn device_cookie(answer: &Answer) -> String {
        let cookies = answer.headers.get_all("set-cookie").iter();
        let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap());
        let cookie = cookies
            .find(|cookie| cookie.starts_with("souk_device=souk_dt_"))
            .unwrap();
        for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/v1/auth/login"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        cookie.split(';').next().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_burst_of_guesses_is_throttled_too() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let guesses = (0..40).map(async |number| {
            let address = format!("192.0.2.{}", number % 20);
            login_from(&users, &address, "ada@souk.test", WRONG).await
        });
        let answers = futures::future::join_all(guesses).await;
        let checked = answers.iter().filter(|answer| answer.status == 401).count();
        assert_eq!(checked, 5);
    }

    #[tokio::test]
    async fn a_password_that_changes_during_a_login_starts_no_session() {
        let users = Users::start().await;
        users.register("ada@souk.test").await;
        let mut connection = users.database.pool.acquire().await.unwrap();
        let email = Email::parse("ada@souk.test").unwrap();
        let checked = account::find_by_email(&mut connection, &email)
            .await
            .unwrap()
            .unwrap();
        assert!(account::is_current(&mut connection, &checked).await.unwrap());
        users.sql("UPDATE users SET password_hash = 'another'").await;
        assert!(!account::is_current(&mut connection, &checked).await.unwrap());
    }
}
