//! The shape of `gateway.yaml`. Everything the gateway does is declared here: no route, limit or address stands in code.
//! Unknown keys are errors, and what an absent key means is said on its field.

mod check;
mod expand;
mod route;
mod units;

use std::{collections::BTreeMap, net::SocketAddr, num::NonZeroU32, path::Path, time::Duration};

use ipnet::IpNet;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

pub use check::ConfigError;
pub use route::{Aggregate, BrowserSpans, Files, Grpc, Join, Local, Match, Part, Route, Total};
pub use units::{Bytes, Share, Span};

/// A name in the file, with the line where it stands.
pub type Name = Spanned<String>;

/// A whole `gateway.yaml`, read and cross-referenced.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Of the format: 1.
    pub version: Spanned<u32>,
    /// Where clients connect.
    pub listeners: BTreeMap<String, Listener>,
    /// What one request, connection and process may use.
    #[serde(default)]
    pub limits: Limits,
    /// Whose tokens are accepted.
    #[serde(default)]
    pub auth: BTreeMap<String, Auth>,
    /// Who answers.
    pub upstreams: BTreeMap<String, Upstream>,
    /// Named pieces of chain. A limit in a policy is shared by the routes that use it.
    #[serde(default)]
    pub policies: BTreeMap<String, Vec<Link>>,
    /// What is served, and by whom.
    pub routes: BTreeMap<String, Route>,
    /// The quota of what no route takes: unknown paths and methods (404, 405) and requests that are refused whatever
    /// their path is (400, 413); absent: there is none.
    #[serde(default)]
    pub unmatched: Option<Rate>,
    /// The joined API document; absent: none is served.
    #[serde(default)]
    pub openapi: Option<OpenApi>,
}

/// One address that accepts connections.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// IP address and port.
    pub bind: SocketAddr,
    /// Networks of peers whose `X-Forwarded-*` fields are believed; empty: nobody's.
    #[serde(default)]
    pub trusted_proxies: Vec<IpNet>,
    /// How long browsers that came by HTTPS, as a trusted proxy says, then use nothing else (HSTS): a year.
    #[serde(default = "Listener::a_year")]
    pub hsts: Span,
}

impl Listener {
    fn a_year() -> Span {
        Span(Duration::from_hours(365 * 24))
    }
}

/// Bounds of everything that a client can make grow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// A request's body, 64 KiB.
    pub body: Bytes,
    /// A request's head, 32 KiB.
    pub headers: Bytes,
    /// Fields in a request's head, 100.
    pub header_fields: usize,
    /// Time for a request's head to arrive, 10 s; also how long an idle connection is kept.
    pub header_time: Span,
    /// Connections at a time, 10,000; the others wait in the kernel's queue.
    pub connections: usize,
    /// Of these from one address (IPv6: one /64), 1,000; more are closed at once. Trusted proxies have no limit.
    pub connections_per_address: usize,
    /// How long an answer may make no progress because its client does not read, 30 s; then the connection is reset.
    pub stall: Span,
    /// A request from its head to the end of its answer, 10 s; routes may set their own.
    pub deadline: Span,
    /// A connection to an upstream, 1 s.
    pub connect: Span,
    /// What requests in flight get to finish at the end of the process, 30 s.
    pub drain: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: Bytes(64 << 10),
            headers: Bytes(32 << 10),
            header_fields: 100,
            header_time: Span(Duration::from_secs(10)),
            connections: 10_000,
            connections_per_address: 1_000,
            stall: Span(Duration::from_secs(30)),
            deadline: Span(Duration::from_secs(10)),
            connect: Span(Duration::from_secs(1)),
            drain: Span(Duration::from_secs(30)),
        }
    }
}

/// An issuer of tokens, and what of them upstreams are told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Required `iss`.
    pub issuer: String,
    /// Accepted `aud`.
    pub audience: Vec<String>,
    /// URL of the issuer's JSON Web Key Set.
    pub jwks: String,
    /// What a key may be used with. The key says which one, never the token.
    pub algorithms: Vec<Algorithm>,
    /// Request headers set from claims; whatever a client sent under these names is removed.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Who turns an `x-api-key` into a token; absent: such keys are not accepted.
    #[serde(default)]
    pub api_keys: Option<ApiKeys>,
}

/// `POST path {"key": …}` at an upstream answers `{"access_token": …, "expires_in": …}` or 401.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeys {
    /// The upstream.
    pub to: Name,
    /// The path there.
    pub path: String,
    /// How long an exchanged token is used again.
    pub cache: Span,
}

/// A service and where its instances are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// How its instances are found.
    pub discover: Discover,
    /// What it speaks; HTTP/1.1 where absent.
    #[serde(default)]
    pub protocol: Protocol,
}

/// How instances are found.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discover {
    /// These addresses.
    Static(Vec<SocketAddr>),
    /// All addresses of `host:port`, asked again every few seconds.
    Dns(String),
}

/// What an upstream speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http,
    /// gRPC over HTTP/2 with prior knowledge.
    Grpc,
}

/// One link of a chain; a request passes them in the order of the file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Link {
    /// No token is needed, and none is looked at. A route names this or an `auth`: there is no default to fall into.
    Anonymous,
    /// A valid token of this issuer is required.
    Auth(Name),
    /// A token may be absent, but not be invalid.
    AuthIfGiven(Name),
    /// The identity must have this role.
    Role(String),
    /// What API keys may be used for; stands behind an `auth`.
    Scope(ScopeRule),
    /// A quota.
    Rate(Rate),
    /// Browsers from other origins.
    Cors(Cors),
    /// Calls of an upstream that fails are given up for a while.
    Breaker(Breaker),
    /// Calls of an upstream at a time, for each route that uses it by itself.
    InFlight(InFlight),
}

/// The scopes of which an API key needs one. A token without a `scope` that belongs to no key is not limited.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeRule {
    /// For GET, HEAD and OPTIONS.
    pub safe: Vec<String>,
    /// For the other methods. An empty list means that no key may.
    #[serde(rename = "unsafe")]
    pub other: Vec<String>,
}

/// A quota by GCRA: `quota` requests in a `window`, all at once if need be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Whose.
    pub by: RateBy,
    /// How many.
    pub quota: NonZeroU32,
    /// In which time they grow back.
    pub window: Span,
}

/// Whose quota it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateBy {
    /// The identity's; the address's where there is none.
    User,
    /// The client address's, IPv6 by /64.
    Address,
}

/// When an upstream is no longer asked, for each route that uses it by itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// The calls of this last time are judged.
    pub window: Span,
    /// With fewer calls in it, nothing is concluded.
    pub min_calls: NonZeroU32,
    /// It opens when more than this share failed: no connection, no answer in time, a reset, 5xx, gRPC 4, 13 or 14.
    pub failures: Share,
    /// Or when so many were slow for at least half of the window, which a single burst of calls is not.
    pub slow: Slow,
    /// How long failures keep it open, give or take a tenth; twice as long each further time in a row, to 5 min.
    pub open: Span,
    /// Calls that are then let through, and must all do well before it closes.
    pub probes: NonZeroU32,
}

/// How many calls of an upstream a route may have in flight, and what happens to more of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InFlight {
    /// Calls at a time, over all cores. A call ends with the head of its answer, or as a part of a joined answer with all of it.
    pub max: NonZeroU32,
    /// Further calls that may wait, in turns by client; the others are refused at once.
    pub queue: usize,
    /// How long a call may wait before it is refused.
    pub wait: Span,
}

/// When calls are too slow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slow {
    /// A call that takes longer is slow.
    pub over: Span,
    /// More than this share of calls.
    pub share: Share,
    /// How long they keep it open, give or take a tenth: 3 s, so that a queue can drain. The upstream does answer.
    #[serde(default = "Slow::pause")]
    pub pause: Span,
}

impl Slow {
    fn pause() -> Span {
        Span(Duration::from_secs(3))
    }
}

/// Which origins' pages may read answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// `scheme://host[:port]` each.
    pub origins: Vec<String>,
    /// Whether cookies may be sent along.
    #[serde(default)]
    pub credentials: bool,
    /// How long a browser may remember the answer.
    pub max_age: Span,
}

/// The joined API document at `/openapi.json`, browsable at `/docs`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenApi {
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// Upstreams that serve a document of their own, and its path.
    pub from: BTreeMap<String, String>,
    /// How long the joined document is served again.
    pub cache: Span,
}

impl Config {
    /// The breakers that the policies of a route name; a checked file has at most one a route.
    pub(crate) fn breakers<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a Breaker> {
        self.links(route).filter_map(|link| match link {
            Link::Breaker(breaker) => Some(breaker),
            _ => None,
        })
    }

    /// The limits of calls in flight that the policies of a route name; a checked file has at most one a route.
    pub(crate) fn in_flight<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a InFlight> {
        self.links(route).filter_map(|link| match link {
            Link::InFlight(in_flight) => Some(in_flight),
            _ => None,
        })
    }

    /// All links of a route's policies.
    fn links<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a Link> {
        let policies = route
            .uses
            .iter()
            .filter_map(|name| self.policies.get(&name.value));
        policies.flatten()
    }

    /// Reads a file; `${NAME}` and `${NAME:-default}` are taken from the environment.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(ConfigError::Unreadable)?;
        Self::parse(&text, |name| std::env::var_os(name)?.into_string().ok())
    }

    /// Parses a text, with `variable` as the environment.
    pub fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let text = expand::expand(text, variable)?;
        let config: Self = serde_saphyr::from_str(&text).map_err(|error| ConfigError::from_yaml(&error))?;
        config.check()?;
        Ok(config)
    }
}
