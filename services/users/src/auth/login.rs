//! `POST /v1/auth/login`.

#[cfg(test)]
mod tests;

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
