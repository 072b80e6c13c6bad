//! `POST /v1/auth/refresh`: exchanges a refresh token for new tokens.

use axum::{extract::State, response::Response};
use chrono::Utc;
use souk_http::{Problem, ProblemBody, detached};
use sqlx::Connection;

use super::login::{Transport, respond};
use crate::{
    App,
    cookie::{PresentedToken, RefreshRequest},
    error::Error,
    session::{self, Refreshed},
};

/// Refresh a session
///
/// Exchanges a refresh token for a new access token and a new refresh token. The token is taken from the body or, if there
/// is none, from the cookie, and the new one is returned in the same way. Each token can be used once; using it again ends
/// the whole session, because the token may have been stolen.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "auth", request_body = RefreshRequest,
    params(("souk_refresh" = Option<String>, Cookie, description = "The refresh token of a browser")), responses(
    (status = 200, description = "The new tokens", body = session::TokenResponse),
    (status = 401, description = "The refresh token is unknown, expired, revoked or was used before", body = ProblemBody),
    (status = 403, description = "The cookie was sent from an origin that is not allowed", body = ProblemBody),
    (status = 415, description = "There is neither a cookie nor a JSON body", body = ProblemBody),
    (status = 422, description = "The body is not valid", body = ProblemBody),
))]
pub(crate) async fn refresh_session(
    State(app): State<App>,
    presented: PresentedToken,
) -> Result<Response, Problem> {
    let transport = if presented.by_cookie() {
        Transport::Cookie
    } else {
        Transport::Token
    };
    let tokens = detached(async move {
        let mut connection = app.pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        let refreshed = session::refresh(&mut transaction, presented.token(), Utc::now()).await?;
        transaction.commit().await?;
        match refreshed {
            Refreshed::Granted(grant) => grant.sign(&app.keyring).await,
            Refreshed::Refused => Err(Error::RefreshToken),
            Refreshed::Reused => {
                tracing::warn!("a refresh token was used twice; its session is revoked");
                Err(Error::RefreshToken)
            }
        }
    })
    .await?;
    Ok(respond(tokens, transport)?)
}
