//! Authenticates callers by their access token (RFC 9068), which is verified with the public keys of the users service, and
//! provides the extractors that require one. Only the token is trusted, never a header that a gateway has set.

mod keys;
mod scope;
mod verifier;

use axum::extract::{FromRef, FromRequestParts};
use contracts::UserId;
use http::{HeaderMap, HeaderValue, header, request::Parts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use scope::{Scope, Scopes};
pub use verifier::{AuthError, LEEWAY, Verifier};

use crate::Problem;

/// The `iss` claim of every access token.
pub const ISSUER: &str = "https://souk.test";
/// The value that the `aud` claim of every access token contains.
pub const AUDIENCE: &str = "souk";
/// The `typ` in the header of every access token (RFC 9068).
pub const TOKEN_TYPE: &str = "at+jwt";

/// A role of an account, which grants permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May shop. Every account has this role.
    Customer,
    /// May operate the shop: manage products, orders, payments and accounts.
    Admin,
}

/// The claims of a verified access token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer of the token, always [`ISSUER`].
    pub iss: String,
    /// The audiences of the token, which include [`AUDIENCE`].
    pub aud: Vec<String>,
    /// The account that the token was issued to.
    pub sub: UserId,
    /// Unique id of the token.
    pub jti: Uuid,
    /// Time of issue, in seconds since 1970.
    pub iat: i64,
    /// The token is not valid before this time, in seconds since 1970.
    pub nbf: i64,
    /// The token is not valid from this time on, in seconds since 1970.
    pub exp: i64,
    /// Roles of the account. Roles that this process does not know are omitted.
    #[serde(deserialize_with = "known_roles")]
    pub roles: Vec<Role>,
    /// Id of the login session. Absent if the token was issued for an API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Uuid>,
    /// Scopes of the API key that the token was issued for. Absent for the token of a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scopes>,
}

impl Claims {
    /// Whether the account has the role [`Role::Admin`].
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

/// Requires a valid access token. Rejects requests without one with 401, and requests of an API key without a suitable scope
/// with 403: every scope allows safe methods, and only `order` allows the others.
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
        claims.require_shopper_scope(&parts.method)?;
        Ok(Self(claims))
    }
}

/// Requires the access token of an administrator. Rejects requests without a token with 401, and those of other accounts or
/// of an API key without the scope `admin` with 403.
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
        claims.require_admin_scope()?;
        claims
            .is_admin()
            .then_some(Self(claims))
            .ok_or_else(Problem::forbidden)
    }
}

/// Requires the access token of a login session, for operations that an API key may never do: changing the account, its
/// password, its API keys or its sessions. Rejects requests without a token with 401, and those of an API key with 403.
#[derive(Debug, Clone)]
pub struct Session {
    /// The claims of the verified access token.
    pub claims: Claims,
    /// Id of the session, which is the claim `sid`.
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
            _ => Err(Problem::session_required()),
        }
    }
}

async fn verify<S>(parts: &Parts, state: &S) -> Result<Claims, Problem>
where
    Verifier: FromRef<S>,
{
    let token = bearer(&parts.headers)
        .ok_or_else(|| Problem::unauthorized("Send an access token: `Authorization: Bearer …`."))?;
    Ok(Verifier::from_ref(state).verify(token).await?)
}

/// Returns the bearer token, if there is exactly one `Authorization` header and it has one.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unavailable => Self::unavailable(
                "Your access token cannot be verified at the moment. Try again in a few seconds.",
            ),
            AuthError::Invalid(reason) => {
                tracing::debug!(reason, "access token rejected");
                Self::new(
                    http::StatusCode::UNAUTHORIZED,
                    "unauthorized",
                    "The access token is invalid or has expired.",
                )
                .header(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"souk\", error=\"invalid_token\""),
                )
            }
        }
    }
}
