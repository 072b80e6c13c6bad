//! The cookies of a browser, which no script can read and no other site can send: the refresh token, accepted only with
//! an `Origin` that may use it (ASVS 5 V3.5), and the token by which a login recognises the device.

use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use souk_http::{Json, Problem};
use utoipa::ToSchema;

use crate::app::Policy;

const NAME: &str = "souk_refresh";
const DEVICE: &str = "souk_device";
const ATTRIBUTES: &str = "Path=/v1/auth; HttpOnly; Secure; SameSite=Strict";

/// The cookie that carries `token` for 14 days.
pub(crate) fn set(token: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(format!("{NAME}={token}; Max-Age=1209600; {ATTRIBUTES}")).map_err(Problem::internal)
}

/// The cookie by which the next login from this browser is recognised, for 180 days.
pub(crate) fn set_device(token: &str) -> Result<HeaderValue, Problem> {
    let cookie =
        format!("{DEVICE}={token}; Max-Age=15552000; Path=/v1/auth/login; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::try_from(cookie).map_err(Problem::internal)
}

/// The token of the device's cookie, which may be anything.
pub(crate) struct DeviceToken(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for DeviceToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(cookie(&parts.headers, DEVICE)))
    }
}

/// The cookie that removes the refresh token.
pub(crate) fn clear() -> HeaderValue {
    HeaderValue::from_static("souk_refresh=; Max-Age=0; Path=/v1/auth; HttpOnly; Secure; SameSite=Strict")
}

/// Whether the browser's request comes from a page that may use the cookie. A page cannot forge `Origin`.
pub(crate) struct SameOrigin;

impl SameOrigin {
    fn check(headers: &HeaderMap, policy: &Policy) -> Result<(), Problem> {
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
            Err(Problem::new(
                StatusCode::FORBIDDEN,
                "origin-not-allowed",
                "The session cookie is accepted only with the Origin of an allowed page.",
            ))
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SameOrigin
where
    Policy: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut http::request::Parts, state: &S) -> Result<Self, Problem> {
        Self::check(&parts.headers, &Policy::from_ref(state)).map(|()| Self)
    }
}

/// A refresh token and the way it came, by which the next one goes back.
pub(crate) enum Presented {
    Body(String),
    Cookie(String),
}

impl Presented {
    pub(crate) fn token(&self) -> &str {
        match self {
            Self::Body(token) | Self::Cookie(token) => token,
        }
    }

    pub(crate) fn by_cookie(&self) -> bool {
        matches!(self, Self::Cookie(_))
    }
}

/// The body of refresh and logout; none for a browser, whose cookie counts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshRequest {
    /// As the login or the last refresh gave it.
    refresh_token: String,
}

impl<S: Send + Sync> FromRequest<S> for Presented
where
    Policy: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let has_body = request.headers().contains_key(header::CONTENT_TYPE);
        if let Some(token) = cookie(request.headers(), NAME).filter(|_| !has_body) {
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
