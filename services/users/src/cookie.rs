//! Cookies for browsers. Scripts cannot read them, and other sites cannot make a browser send them. One carries the refresh
//! token and is accepted only with an allowed `Origin` (ASVS 5 V3.5); the other identifies a known device at login.

use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use souk_http::{Json, Problem};
use utoipa::ToSchema;

use crate::{app::Policy, error::Error};

const REFRESH: &str = "souk_refresh";
const DEVICE: &str = "souk_device";
const ATTRIBUTES: &str = "Path=/v1/auth; HttpOnly; Secure; SameSite=Strict";

/// Returns the cookie that stores the refresh token `token` for 14 days.
pub(crate) fn set_refresh(token: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(format!("{REFRESH}={token}; Max-Age=1209600; {ATTRIBUTES}"))
        .map_err(Error::internal)
}

/// Returns the cookie that identifies this browser at its next logins, for 180 days.
pub(crate) fn set_device(token: &str) -> Result<HeaderValue, Error> {
    let cookie =
        format!("{DEVICE}={token}; Max-Age=15552000; Path=/v1/auth/login; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::try_from(cookie).map_err(Error::internal)
}

/// The value of the device cookie, if the request has one. It is not verified yet.
pub(crate) struct DeviceToken(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for DeviceToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(cookie(&parts.headers, DEVICE)))
    }
}

/// Returns the cookie that deletes the refresh token from the browser.
pub(crate) fn clear_refresh() -> HeaderValue {
    HeaderValue::from_static("souk_refresh=; Max-Age=0; Path=/v1/auth; HttpOnly; Secure; SameSite=Strict")
}

/// Rejects browser requests from pages that may not use the session cookie, with 403. Pages cannot forge `Origin`.
pub(crate) struct SameOrigin;

impl SameOrigin {
    fn check(headers: &HeaderMap, policy: &Policy) -> Result<(), Error> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let origin = text("origin").unwrap_or_default();
        let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
        let host = text("x-forwarded-host")
            .or_else(|| text("host"))
            .unwrap_or_default();
        let own = !authority.is_empty() && authority.eq_ignore_ascii_case(host);
        if own || policy.allowed_origins.iter().any(|allowed| allowed == origin) {
            Ok(())
        } else {
            Err(Error::OriginNotAllowed)
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SameOrigin
where
    Policy: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut http::request::Parts, state: &S) -> Result<Self, Problem> {
        Self::check(&parts.headers, &Policy::from_ref(state))?;
        Ok(Self)
    }
}

/// The refresh token of a request. The next token is returned the same way: in the body or in the cookie.
pub(crate) enum PresentedToken {
    Body(String),
    Cookie(String),
}

impl PresentedToken {
    /// The text of the token.
    pub(crate) fn token(&self) -> &str {
        match self {
            Self::Body(token) | Self::Cookie(token) => token,
        }
    }

    /// Whether the token was sent as a cookie.
    pub(crate) fn by_cookie(&self) -> bool {
        matches!(self, Self::Cookie(_))
    }
}

/// The body of refresh and logout. Browsers send no body; their cookie is used instead.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshRequest {
    /// The refresh token returned by the login or the last refresh.
    #[schema(example = "souk_rt_0sVn2Qf7pYx3mK9aTzR1cWd5hLg8uEjBiOoNqXvS4kw")]
    refresh_token: String,
}

impl<S: Send + Sync> FromRequest<S> for PresentedToken
where
    Policy: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let has_body = request.headers().contains_key(header::CONTENT_TYPE);
        if let Some(token) = cookie(request.headers(), REFRESH).filter(|_| !has_body) {
            SameOrigin::check(request.headers(), &Policy::from_ref(state))?;
            return Ok(Self::Cookie(token));
        }
        let Json(body) = Json::<RefreshRequest>::from_request(request, state).await?;
        Ok(Self::Body(body.refresh_token))
    }
}

fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, token)| token.to_owned())
}
