//! Links that decide who may send a request.

use std::{collections::BTreeMap, time::Duration};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Name, Span};

/// The scopes of which an API key needs at least one. A session's token, which has no `scope`, is not limited.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeRule {
    /// Scopes that allow the safe methods: GET, HEAD and OPTIONS.
    pub safe: Vec<String>,
    /// Scopes that allow the other methods. With an empty list, no API key is allowed.
    #[serde(rename = "unsafe")]
    pub other: Vec<String>,
}

/// Rules for web pages of other origins (CORS).
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins whose pages may read responses, each as `scheme://host[:port]`.
    pub origins: Vec<String>,
    /// Whether requests may include cookies. Default: false.
    #[serde(default)]
    pub credentials: bool,
    /// How long a browser may cache the response to a preflight request.
    pub max_age: Span,
}

/// Networks from which requests are accepted. The client's address is that of the connection, or the one that a trusted
/// proxy forwards.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpRule {
    /// Networks whose requests are accepted, for example `10.0.0.0/8`. Absent or empty: every network that is not denied.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub allow: Vec<IpNet>,
    /// Networks whose requests are rejected (403), even if they are also allowed. Absent: none.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub deny: Vec<IpNet>,
}

/// Rejects requests with 503 while the service is being maintained.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// When clients may try again (`Retry-After`). Default: 5 min.
    #[serde(default = "Maintenance::default_retry_after")]
    pub retry_after: Span,
    /// Networks whose requests pass nevertheless, for those who do the maintenance. Absent: none.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub allow: Vec<IpNet>,
}

impl Maintenance {
    fn default_retry_after() -> Span {
        Span(Duration::from_mins(5))
    }
}

/// Names and passwords (HTTP Basic). The credentials are not forwarded. Use it after a `rate` by address, so that
/// passwords cannot be guessed quickly.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The users, each with the hash of the password: Argon2 (`$argon2id$…`) or bcrypt (`$2b$…`, as `htpasswd -B` makes).
    pub users: BTreeMap<String, Name>,
    /// The name that browsers show when they ask for the password. Default: restricted.
    #[serde(default = "Basic::default_realm")]
    pub realm: Name,
    /// Header field in which the upstream gets the user's name, for example `x-user-name`. A client's field of this name
    /// is removed. Absent: none.
    #[serde(default)]
    pub header: Option<Name>,
}

impl Basic {
    fn default_realm() -> Name {
        Name {
            value: "restricted".to_owned(),
            line: 0,
            column: 0,
        }
    }
}

/// Asks a service whether a request may pass, as Traefik's `forwardAuth` does. The service gets the header fields of the
/// request, and its method, host and path in `X-Forwarded-Method`, `X-Forwarded-Host` and `X-Forwarded-Uri`. With status
/// 2xx the request passes. Any other answer is sent to the client. If there is none, the client gets 503.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForwardAuth {
    /// Name of the upstream that decides.
    pub to: Name,
    /// Path of its endpoint, which is requested with GET.
    pub path: Name,
    /// Header fields that are copied from its answer to the request. A client's fields of these names are removed. Absent:
    /// none.
    #[serde(default)]
    pub copy: Vec<Name>,
    /// The field of its answer with the user's id, by which quotas distinguish users. Absent: they distinguish
    /// addresses.
    #[serde(default)]
    pub user: Option<Name>,
    /// How long the client waits for the decision, at most until the deadline of the route. Default: 3 s.
    #[serde(default = "ForwardAuth::default_timeout")]
    pub timeout: Span,
}

impl ForwardAuth {
    fn default_timeout() -> Span {
        Span(Duration::from_secs(3))
    }
}
