//! Who is calling: access tokens (RFC 9068) verified against the published keys of users, and the extractors that
//! demand one. Nothing but the token is trusted, least of all a header that a gateway set.

mod keys;
mod scope;
mod verifier;

use axum::extract::{FromRef, FromRequestParts};
use contracts::UserId;
use http::{HeaderValue, header, request::Parts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use scope::{Scope, Scopes};
pub use verifier::{AuthError, Verifier};

use crate::Problem;

/// `iss` of every access token.
pub const ISSUER: &str = "https://souk.test";
/// `aud` of every access token.
pub const AUDIENCE: &str = "souk";
/// `typ` of every access token's header (RFC 9068).
pub const TOKEN_TYPE: &str = "at+jwt";

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Shops.
    Customer,
    /// Runs the shop.
    Admin,
}

/// The claims of an access token, verified.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it, [`ISSUER`].
    pub iss: String,
    /// For whom, [`AUDIENCE`] among them.
    pub aud: Vec<String>,
    /// The account.
    pub sub: UserId,
    /// The token's own id.
    pub jti: Uuid,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Not valid before.
    pub nbf: i64,
    /// Not valid from.
    pub exp: i64,
    /// What the account may do; roles that this process does not know are left out.
    #[serde(deserialize_with = "known_roles")]
    pub roles: Vec<Role>,
    /// The login's family of refresh tokens; absent for a token that an API key was exchanged for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
    /// What the token may be used for, if it belongs to an API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scopes>,
}

impl Claims {
    /// Whether the account runs the shop.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.roles.contains(&Role::Admin)
    }
}

fn known_roles<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Role>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let known = names
        .into_iter()
        .filter_map(|name| serde_json::from_value(name.into()).ok());
    Ok(known.collect())
}

/// Demands a valid access token; 401 without, 403 for an API key whose scopes do not allow the request: every scope allows
/// safe methods, only `order` the others.
#[derive(Debug, Clone)]
pub struct User(pub Claims);

impl<S> FromRequestParts<S> for User
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let claims = verify(parts, state).await?;
        claims.require_shopping(&parts.method)?;
        Ok(Self(claims))
    }
}

/// Demands the token of an administrator; 401 without a token, 403 for anyone else and for an API key without the scope
/// `admin`.
#[derive(Debug, Clone)]
pub struct Admin(pub Claims);

impl<S> FromRequestParts<S> for Admin
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let claims = verify(parts, state).await?;
        claims.require_operating()?;
        claims
            .is_admin()
            .then_some(Self(claims))
            .ok_or_else(Problem::forbidden)
    }
}

/// Demands the token of a session, for what an API key may never do: change the account itself, its password, its keys or
/// its sessions. 401 without a token, 403 for an API key.
#[derive(Debug, Clone)]
pub struct Session {
    /// The claims of the verified access token.
    pub claims: Claims,
    /// The session, which is the claims' `sid`.
    pub id: Uuid,
}

impl<S> FromRequestParts<S> for Session
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let claims = verify(parts, state).await?;
        match (claims.sid, &claims.scope) {
            (Some(id), None) => Ok(Self { claims, id }),
            _ => Err(Problem::new(
                http::StatusCode::FORBIDDEN,
                "session-required",
                "An API key cannot do this. Log in.",
            )),
        }
    }
}

async fn verify<S>(parts: &Parts, state: &S) -> Result<Claims, Problem>
where
    Verifier: FromRef<S>,
{
    let token = bearer(parts)?;
    Ok(Verifier::from_ref(state).verify(token).await?)
}

fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::unauthorized(
            "Send an access token: `Authorization: Bearer …`.",
        ));
    };
    value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| Problem::unauthorized("Send an access token: `Authorization: Bearer …`."))
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unavailable => {
                Self::unavailable("The keys to check your access token are not available.")
            }
            AuthError::Invalid(reason) => {
                tracing::debug!(reason, "access token refused");
                Self::new(
                    http::StatusCode::UNAUTHORIZED,
                    "unauthorized",
                    "The access token is not valid, or no longer.",
                )
                .header(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"souk\", error=\"invalid_token\""),
                )
            }
        }
    }
}
