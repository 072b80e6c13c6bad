//! `POST /v1/auth/login`: starts a session.

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
    App,
    account::{self, Account},
    cookie::{self, DeviceToken},
    device,
    email::Email,
    error::Error,
    session,
    throttle::{self, ClientAddress, Source},
};

/// Credentials, and how to return the refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// Email address of the account.
    #[schema(example = "demo@souk.test")]
    email: String,
    /// Password of the account.
    #[schema(format = Password, example = "demo-password-souk")]
    password: String,
    /// How to return the refresh token. Default: `token`.
    #[serde(default)]
    session: Transport,
}

/// How the refresh token is returned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Transport {
    /// In the body of the response.
    #[default]
    Token,
    /// In a cookie that scripts cannot read, for browsers.
    Cookie,
}

/// Log in
///
/// Starts a session and returns its tokens. An unknown address, a wrong password, and an unverified or disabled account give
/// the same response in the same time. After five failed attempts, the client's network address must wait before the next
/// attempt; after five failures from anywhere, every network address must. A browser in which the owner has logged in
/// before waits only for its own failures.
#[utoipa::path(post, path = "/v1/auth/login", tag = "auth", request_body = LoginRequest, responses(
    (status = 200, description = "The tokens of the new session", body = session::TokenResponse),
    (status = 401, description = "The email address or the password is wrong, or the account cannot be used", body = ProblemBody),
    (status = 422, description = "The body is not valid", body = ProblemBody),
    (status = 429, description = "Too many failed logins; the next attempt is checked after the time in `Retry-After`",
        body = ProblemBody),
    (status = 503, description = "Too many concurrent logins; retry after the time in `Retry-After`", body = ProblemBody),
))]
pub(crate) async fn log_in(
    State(app): State<App>,
    address: ClientAddress,
    DeviceToken(device): DeviceToken,
    Json(request): Json<LoginRequest>,
) -> Result<Response, Problem> {
    let transport = request.session;
    let (tokens, device) = detached(async move {
        let account = authenticate(&app, &request, address, device.as_deref()).await?;
        let mut connection = app.pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        // If the password was changed since it was verified, all other sessions have ended, so this one must not start.
        if !account::is_current(&mut transaction, &account).await? {
            return Err(Error::WrongCredentials);
        }
        let grant = session::start(&mut transaction, &account.profile, Utc::now()).await?;
        let device = match transport {
            Transport::Token => None,
            Transport::Cookie => {
                Some(device::remember(&mut transaction, account.profile.id, device.as_deref()).await?)
            }
        };
        transaction.commit().await?;
        Ok((grant.sign(&app.keyring).await?, device))
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

/// Verifies the credentials and returns the account. A failure counts against the source of the attempt.
async fn authenticate(
    app: &App,
    request: &LoginRequest,
    address: ClientAddress,
    device: Option<&str>,
) -> Result<Account, Error> {
    let password = request.password.clone();
    // Acquire the permit first: it limits how many attempts can be counted but not yet verified.
    let permit = app.passwords.acquire().await?;
    let Some(email) = Email::parse(&request.email).filter(|_| password.chars().count() <= 128) else {
        permit.verify("too long or no email address".into(), None).await?;
        return Err(Error::WrongCredentials);
    };
    let (account, source) = {
        let mut connection = app.pool.acquire().await?;
        let source = match device {
            Some(token) => device::find(&mut connection, &email, token).await?,
            None => None,
        };
        let source = source.map_or(Source::Address(address), Source::Device);
        throttle::count_attempt(&mut connection, &email, source).await?;
        (account::find_by_email(&mut connection, &email).await?, source)
    };
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    let matches = permit.verify(password, stored).await?;
    let account = account.filter(|account| matches && account.is_usable());
    let account = account.ok_or(Error::WrongCredentials)?;
    throttle::reset(&mut *app.pool.acquire().await?, &email, source).await?;
    Ok(account)
}

/// Builds the response with the tokens, returned as the client requested. It must not be cached.
pub(crate) fn respond(mut tokens: session::TokenResponse, transport: Transport) -> Result<Response, Error> {
    let cookie = match transport {
        Transport::Token => None,
        Transport::Cookie => tokens
            .refresh_token
            .take()
            .map(|token| cookie::set_refresh(&token))
            .transpose()?,
    };
    let mut response = ([(header::CACHE_CONTROL, "no-store")], Json(tokens)).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
