//! What an API key may be used for. Its access token says so in `scope` (RFC 8693, section 4.2); a session's token has no
//! such claim and may be used for everything that its account may do.

use std::{fmt, str::FromStr};

use http::{HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IntoDeserializer};
use utoipa::ToSchema;

use super::Claims;
use crate::Problem;

/// Something that an API key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Reads what the account may read as a shopper. The other scopes include it.
    Read,
    /// Shops: fills the cart, places, cancels and returns orders, keeps addresses, marks notifications as read.
    Order,
    /// Operates the shop, if the account may.
    Admin,
}

impl Scope {
    /// The scope in `scope` and in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Order => "order",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = serde::de::value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::deserialize(name.into_deserializer())
    }
}

/// The scopes of a token, on the wire as words with spaces between them. Words that this process does not know are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(pub Vec<Scope>);

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names: Vec<_> = self.0.iter().map(|scope| scope.name()).collect();
        serializer.serialize_str(&names.join(" "))
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = String::deserialize(deserializer)?;
        let known = names.split(' ').filter_map(|name| name.parse().ok());
        Ok(Self(known.collect()))
    }
}

impl Claims {
    /// The scopes that limit the token; `None` for a session's, which nothing limits. A token that has neither a session
    /// nor a scope is good for nothing.
    fn limits(&self) -> Option<&[Scope]> {
        match (&self.scope, self.sid) {
            (Some(scopes), _) => Some(&scopes.0),
            (None, Some(_)) => None,
            (None, None) => Some(&[]),
        }
    }

    /// Demands a token that may be used for a shopper's request with this method; 403 otherwise.
    pub(super) fn require_shopping(&self, method: &Method) -> Result<(), Problem> {
        self.require(|scopes| {
            if method.is_safe() {
                !scopes.is_empty()
            } else {
                scopes.contains(&Scope::Order)
            }
        })
    }

    /// Demands a token that may be used to operate the shop; 403 otherwise.
    pub(super) fn require_operating(&self) -> Result<(), Problem> {
        self.require(|scopes| scopes.contains(&Scope::Admin))
    }

    fn require(&self, allows: impl FnOnce(&[Scope]) -> bool) -> Result<(), Problem> {
        if self.limits().is_none_or(allows) {
            Ok(())
        } else {
            Err(insufficient_scope())
        }
    }
}

fn insufficient_scope() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "insufficient-scope",
        "The API key does not have the scope that this needs.",
    )
    .header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer realm=\"souk\", error=\"insufficient_scope\""),
    )
}
