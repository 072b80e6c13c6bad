//! The scopes of API keys. The access token of an API key has them in the claim `scope` (RFC 8693, section 4.2). The token of
//! a session has no such claim, and allows everything that its account may do.

use std::{fmt, str::FromStr};

use http::Method;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IntoDeserializer};
use utoipa::ToSchema;

use super::Claims;
use crate::Problem;

/// A scope of an API key, which limits what the key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Allows reading everything that the account may read as a shopper. The other scopes include this.
    Read,
    /// Allows shopping: changing the cart, placing, cancelling and returning orders, managing addresses, and marking
    /// notifications as read.
    Order,
    /// Allows operating the shop, if the account has the role `admin`.
    Admin,
}

impl Scope {
    /// The name of this scope in the claim `scope` and in database tables.
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

/// The scopes of a token, serialized as names separated by spaces. Unknown names are ignored when deserializing.
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
    /// Returns the scopes that limit the token, or `None` for the token of a session, which has no limits. A token with
    /// neither a session nor a scope allows nothing.
    fn limiting_scopes(&self) -> Option<&[Scope]> {
        match (&self.scope, self.sid) {
            (Some(scopes), _) => Some(&scopes.0),
            (None, Some(_)) => None,
            (None, None) => Some(&[]),
        }
    }

    /// Fails with 403 unless the token allows a shopper's request with this method.
    pub(super) fn require_shopper_scope(&self, method: &Method) -> Result<(), Problem> {
        self.require(|scopes| {
            if method.is_safe() {
                !scopes.is_empty()
            } else {
                scopes.contains(&Scope::Order)
            }
        })
    }

    /// Fails with 403 unless the token allows operating the shop.
    pub(super) fn require_admin_scope(&self) -> Result<(), Problem> {
        self.require(|scopes| scopes.contains(&Scope::Admin))
    }

    fn require(&self, allows: impl FnOnce(&[Scope]) -> bool) -> Result<(), Problem> {
        if self.limiting_scopes().is_none_or(allows) {
            Ok(())
        } else {
            Err(Problem::insufficient_scope(
                "The API key does not have the scope that this operation requires.",
            ))
        }
    }
}
