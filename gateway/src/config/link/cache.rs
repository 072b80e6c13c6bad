//! The shared cache.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Bytes, Span};

/// A shared cache (RFC 9111) for GET and HEAD, which all routes with the policy share. It stores what the upstream allows
/// with `Cache-Control` or `Expires`, up to 1 MiB each, but never what sets a cookie. It must come after the links that
/// authenticate the client. A request that changes something removes what is stored under its path, if its route has
/// the policy as well.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// Memory for stored responses. Default: 32 MiB.
    pub max: Bytes,
    /// How long a stale response may be used if the upstream fails, unless the response itself says so
    /// (`stale-if-error`) or forbids it (such as `must-revalidate`). Absent: not at all.
    pub stale_if_error: Option<Span>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            max: Bytes(32 << 20),
            stale_if_error: None,
        }
    }
}
