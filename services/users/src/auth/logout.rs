//! `POST /v1/auth/logout`: ends a session.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::Utc;
use http::{StatusCode, header};
use souk_http::{Problem, ProblemBody};
use sqlx::PgPool;

use crate::{
    cookie::{self, PresentedToken, RefreshRequest},
    session,
};

/// Log out
///
/// Ends the session of a refresh token. The token is taken from the body or, if there is none, from the cookie, which is then
/// deleted. An unknown token is not an error: its session has ended already.
#[utoipa::path(post, path = "/v1/auth/logout", tag = "auth", request_body = RefreshRequest,
    params(("souk_refresh" = Option<String>, Cookie, description = "The refresh token of a browser")), responses(
    (status = 204, description = "The session has ended"),
    (status = 403, description = "The cookie was sent from an origin that is not allowed", body = ProblemBody),
    (status = 415, description = "There is neither a cookie nor a JSON body", body = ProblemBody),
    (status = 422, description = "The body is not valid", body = ProblemBody),
))]
pub(crate) async fn log_out(
    State(pool): State<PgPool>,
    presented: PresentedToken,
) -> Result<Response, Problem> {
    let by_cookie = presented.by_cookie();
    souk_http::detached(async move {
        let mut connection = pool.acquire().await?;
        session::end(&mut connection, presented.token(), Utc::now()).await
    })
    .await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if by_cookie {
        response
            .headers_mut()
            .insert(header::SET_COOKIE, cookie::clear_refresh());
    }
    Ok(response)
}
