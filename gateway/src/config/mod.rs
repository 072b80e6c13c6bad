//! The structure of `gateway.yaml`, which declares everything the gateway does: no route, limit or address is in code.
//! Unknown keys are errors. The documentation of each field says what happens if the key is absent.

mod error;
mod expand;
mod link;
mod placed;
mod reference;
mod route;
mod tls;
mod units;
mod upstream;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use jsonwebtoken::Algorithm;
use schemars::JsonSchema;
use serde::{Deserialize, de::Error as _};
use sha2::{Digest as _, Sha256};

pub use error::ConfigError;
pub use link::{
    Basic, Breaker, Cache, Canary, Compress, Cors, Fault, ForwardAuth, HeaderChanges, HeaderRules, Hedge,
    InFlight, IpRule, Link, Maintenance, Mirror, Rate, RateBy, Retry, Rewrite, ScopeRule, Shared, Slow,
    Split, Wasm,
};
pub use placed::{Name, Placed};
pub use route::{
    Aggregate, BrowserSpans, Files, Grpc, Join, Local, Match, Part, Redirect, Route, Scheme, Total, WebSocket,
};
pub use tls::{Acme, Certificate, Tls};
pub use units::{Bytes, Portion, Share, Span, SpanRange};
pub use upstream::{
    Adaptive, Balance, Consul, ConsulAgent, Discover, Docker, DockerRoutes, Eject, HashBy, Health,
    Kubernetes, Mtls, Protocol, Upstream,
};

/// The names of routes and upstreams that containers declare begin with this.
pub(crate) const OF_CONTAINERS: &str = "docker:";

/// The keys at the top level.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Version of the file format; must be 1.
    pub version: Placed<u32>,
    /// Addresses on which clients connect, by name.
    pub listeners: BTreeMap<String, Listener>,
    /// Limits for requests, connections and the process; each has a default.
    #[serde(default)]
    pub limits: Limits,
    /// Issuers whose tokens are accepted, by name. Absent: none.
    #[serde(default)]
    pub auth: BTreeMap<String, Auth>,
    /// Services that requests are forwarded to, by name.
    pub upstreams: BTreeMap<String, Upstream>,
    /// The Consul agent for upstreams that are found in Consul and name no other. Absent: `http://127.0.0.1:8500`.
    #[serde(default)]
    pub consul: ConsulAgent,
    /// Named lists of links, from which routes build their chains. A quota in a policy is shared by all routes that use
    /// it.
    #[serde(default)]
    pub policies: BTreeMap<String, Vec<Link>>,
    /// The routes by name: which requests are served, and how.
    pub routes: BTreeMap<String, Route>,
    /// Routes that containers declare by their labels. Absent: labels make no routes.
    #[serde(default)]
    pub docker_routes: Option<DockerRoutes>,
    /// The Redis server in which replicas of the gateway share quotas. Absent: none, so no quota can be `shared`.
    #[serde(default)]
    pub redis: Option<Redis>,
    /// Quota for requests that match no route (404, 405) or are rejected before routing (400, 413). Absent: unlimited.
    #[serde(default)]
    pub unmatched: Option<Rate>,
    /// The merged API document. Absent: none is served.
    #[serde(default)]
    pub openapi: Option<OpenApi>,
    /// SHA-256 of the text, in hexadecimal, after its variables were replaced.
    #[serde(skip)]
    pub digest: String,
    /// The folder to which the paths of plugins are relative. Empty: the working directory.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// A Redis server, or another one that speaks its protocol, such as Valkey.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// URL of the server: `redis://[user:password@]host[:port][/database]`.
    pub url: Name,
    /// How long a request waits for its answer. After that, and for 1 s after a failure, each replica counts for itself.
    /// Default: 50 ms.
    #[serde(default = "Redis::default_timeout")]
    pub timeout: Span,
}

impl Redis {
    fn default_timeout() -> Span {
        Span(Duration::from_millis(50))
    }
}

/// An address on which the gateway accepts connections.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// IP address and port to bind.
    #[schemars(with = "String")]
    pub bind: SocketAddr,
    /// Networks of proxies whose `X-Forwarded-*` fields are believed. One text may name several, separated by commas, or
    /// none. Absent: no peer's fields are believed.
    #[serde(default, deserialize_with = "networks")]
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<IpNet>,
    /// Connections begin with a header of the PROXY protocol, version 2, which contains the client's address. Connections
    /// from peers that are not in `trusted_proxies` are closed. Default: false.
    #[serde(default)]
    pub proxy_protocol: bool,
    /// Certificates. With them, the listener speaks HTTPS only, with HTTP/2 and HTTP/1.1. Absent: unencrypted HTTP/1.1, and
    /// HTTP/2 for clients that begin with it (prior knowledge), as gRPC clients do.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Passes TCP connections through instead of serving HTTP. Excludes `tls`.
    #[serde(default)]
    pub tcp: Option<Tcp>,
    /// `max-age` of `Strict-Transport-Security`, which is sent to clients that use HTTPS, either here or according to a
    /// trusted proxy. Default: one year.
    #[serde(default = "Listener::default_hsts")]
    pub hsts: Span,
}

/// TCP connections that are passed through to an upstream, whatever protocol they carry. TLS is not ended here, so
/// neither policies nor routes apply. The protocol and the routes of the upstream do not matter.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tcp {
    /// Name of the upstream for connections that no entry of `sni` matches, and for those without TLS. Absent: they are
    /// closed.
    #[serde(default)]
    pub to: Option<Name>,
    /// Upstreams by the name that a client asks for at the beginning of TLS (SNI), within `header_time`. A host name is
    /// tried before a pattern, and a longer pattern before a shorter one. Absent: all connections go to `to`, and the
    /// upstream may be the first to send.
    #[serde(default)]
    pub sni: Vec<SniRule>,
    /// Time without data in either direction after which a connection is closed. Default: 5 min.
    #[serde(default = "Tcp::default_idle")]
    pub idle: Span,
    /// Maximum number of concurrent connections of this listener; further ones are closed immediately. Default: 1,000.
    #[serde(default = "Tcp::default_connections")]
    pub connections: NonZeroUsize,
    /// Connections to the upstream begin with a header of the PROXY protocol, version 2, which contains the client's
    /// address. Default: false.
    #[serde(default)]
    pub send_proxy_protocol: bool,
}

impl Tcp {
    fn default_idle() -> Span {
        Span(Duration::from_mins(5))
    }

    fn default_connections() -> NonZeroUsize {
        NonZeroUsize::MIN.saturating_add(999)
    }
}

/// The upstream of some host names.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SniRule {
    /// Names that clients ask for: `shop.example`, or `*.shop.example` for all names below.
    pub hosts: Vec<Name>,
    /// Name of the upstream.
    pub to: Name,
}

impl Listener {
    fn default_hsts() -> Span {
        Span(Duration::from_hours(365 * 24))
    }
}

/// Limits for everything that a client can make grow. All sizes and times are per request or connection unless noted.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Maximum size of a request's body. Default: 64 KiB.
    pub body: Bytes,
    /// Maximum size of a request's head, at least 8 KiB. Default: 32 KiB.
    pub headers: Bytes,
    /// Maximum number of header fields of a request. Default: 100.
    pub header_fields: usize,
    /// Time within which the head of a request must arrive, and after which an idle connection is closed. Default: 10
    /// s.
    pub header_time: Span,
    /// Maximum number of concurrent connections of the process; further ones wait in the kernel's queue. Default:
    /// 10,000.
    pub connections: usize,
    /// Maximum number of connections from one address (for IPv6, one /64 network); further ones are closed immediately.
    /// Trusted proxies have no limit. Default: 1,000.
    pub connections_per_address: usize,
    /// How long a response may make no progress because its client does not read; then the connection is reset, or with
    /// HTTP/2 the stream. Default: 30 s.
    pub stall: Span,
    /// Time from the head of a request to the end of its response; a route may set its own. Default: 10 s.
    pub deadline: Span,
    /// Timeout for connecting to an upstream. Default: 1 s.
    pub connect: Span,
    /// Time that requests in flight have to finish when the process shuts down. Default: 30 s.
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

/// An issuer of tokens, and the headers that upstreams get from its tokens.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Required value of the claim `iss`.
    pub issuer: String,
    /// Accepted values of the claim `aud`; a token needs one of them.
    pub audience: Vec<String>,
    /// URL of the issuer's JSON Web Key Set.
    pub jwks: String,
    /// Mutual TLS with the server of the key set, whose URL must then begin with `https://`. Absent: the certificates of the
    /// operating system verify an `https://` URL.
    #[serde(default)]
    pub mtls: Option<Mtls>,
    /// Accepted signature algorithms. The algorithm of a token is taken from its key, never from the token.
    #[schemars(with = "Vec<String>")]
    pub algorithms: Vec<Algorithm>,
    /// Request headers that are set from claims, as header name to claim. A client's headers of these names are
    /// removed. Absent: none.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The endpoint that exchanges an `x-api-key` for a token. Absent: API keys are not accepted.
    #[serde(default)]
    pub api_keys: Option<ApiKeys>,
}

/// The endpoint that exchanges API keys: `POST path {"key": …}` responds with `{"access_token": …, "expires_in": …}`,
/// or 401.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeys {
    /// Name of the upstream that exchanges the keys.
    pub to: Name,
    /// Path of the endpoint at the upstream.
    pub path: String,
    /// How long an exchanged token is cached; at most half of its lifetime is used.
    pub cache: Span,
}

/// The API document that is merged from those of the services, served at `/openapi.json` and browsable at `/docs`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenApi {
    /// Title of the document (`info.title`).
    pub title: String,
    /// Version of the document (`info.version`).
    pub version: String,
    /// Upstreams that serve an API document of their own, with its path.
    pub from: BTreeMap<String, String>,
    /// How long the merged document is cached.
    pub cache: Span,
}

impl Config {
    /// The breaker rules in the policies of a route; a validated file has at most one for each route.
    pub(crate) fn breakers<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a Breaker> {
        self.links(route).filter_map(|link| match link {
            Link::Breaker(breaker) => Some(breaker),
            _ => None,
        })
    }

    /// The in-flight limits in the policies of a route; a validated file has at most one for each route.
    pub(crate) fn in_flight<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a InFlight> {
        self.links(route).filter_map(|link| match link {
            Link::InFlight(in_flight) => Some(in_flight),
            _ => None,
        })
    }

    /// Checks that the upstream exists and speaks this protocol.
    pub(crate) fn upstream(&self, name: &Name, protocol: Protocol) -> Result<(), ConfigError> {
        match self.upstreams.get(&name.value) {
            None => Err(ConfigError::on(
                name,
                format!("there is no upstream named `{}`", name.value),
            )),
            Some(upstream) if upstream.protocol != protocol => Err(ConfigError::on(
                name,
                format!(
                    "upstream `{}` speaks {:?}, but {protocol:?} is required here",
                    name.value, upstream.protocol
                ),
            )),
            Some(_) => Ok(()),
        }
    }

    /// Whether the route passes gRPC calls through to an upstream that speaks gRPC.
    pub(crate) fn passes_grpc(&self, route: &Route) -> bool {
        let to = route.to.as_ref().and_then(|to| self.upstreams.get(&to.value));
        route.grpc.is_none() && to.is_some_and(|upstream| upstream.protocol == Protocol::Grpc)
    }

    /// The retry rules in the policies of a route; a validated file has at most one for each route.
    pub(crate) fn retries<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a Retry> {
        self.links(route).filter_map(|link| match link {
            Link::Retry(retry) => Some(retry),
            _ => None,
        })
    }

    /// The hedging rules in the policies of a route; a validated file has at most one for each route.
    pub(crate) fn hedges<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a Hedge> {
        self.links(route).filter_map(|link| match link {
            Link::Hedge(hedge) => Some(hedge),
            _ => None,
        })
    }

    /// All links of a route's policies, in order.
    pub(crate) fn links<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a Link> {
        let policies = route
            .uses
            .iter()
            .filter_map(|name| self.policies.get(&name.value));
        policies.flatten()
    }

    /// Reads a file. `${NAME}` and `${NAME:-default}` are replaced by environment variables.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(ConfigError::Unreadable)?;
        let config = Self::parse(&text, environment)?;
        Ok(config.in_folder(path.parent().unwrap_or(Path::new(""))))
    }

    /// The same configuration with a folder to which the paths of plugins are relative.
    #[must_use]
    pub fn in_folder(self, folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ..self
        }
    }

    /// Parses a text; `variable` looks up environment variables. The paths of plugins are relative to the working directory.
    pub fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let text = expand::expand(text, variable)?;
        let mut config: Self =
            serde_saphyr::from_str(&text).map_err(|error| ConfigError::from_yaml(&error))?;
        let mut names = config.routes.keys().chain(config.upstreams.keys());
        if let Some(name) = names.find(|name| name.starts_with(OF_CONTAINERS)) {
            let message =
                format!("`{name}`: names that begin with `{OF_CONTAINERS}` are for routes of containers");
            return Err(ConfigError::on(&config.version, message));
        }
        for upstream in config.upstreams.values_mut() {
            config.consul.complete(&mut upstream.discover);
        }
        Ok(Self {
            digest: hex::encode(Sha256::digest(&text)),
            ..config
        })
    }

    /// The JSON Schema of the file, for editors.
    #[must_use]
    pub fn schema() -> schemars::Schema {
        let mut schema = schemars::schema_for!(Self);
        allow_variables(&mut schema);
        schema
    }
}

/// Reads networks from texts that each name any number of them.
fn networks<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let names = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    let parse = |name: &str| {
        name.parse()
            .map_err(|error| D::Error::custom(format_args!("`{name}`: {error}")))
    };
    names.filter(|name| !name.is_empty()).map(parse).collect()
}

/// Allows a variable, such as `${PORT:-8080}`, wherever a number, a switch or a text of a certain form is expected.
fn allow_variables(schema: &mut schemars::Schema) {
    schemars::transform::transform_subschemas(
        &mut |inner: &mut schemars::Schema| allow_variables(inner),
        schema,
    );
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    let is_plain = object.get("type").and_then(|kind| kind.as_str());
    if matches!(is_plain, Some("integer" | "number" | "boolean")) || object.contains_key("pattern") {
        let mut expected = std::mem::take(object);
        if let Some(description) = expected.remove("description") {
            object.insert("description".to_owned(), description);
        }
        let variable = serde_json::json!({"type": "string", "pattern": "\\$\\{.+\\}"});
        object.insert("anyOf".to_owned(), serde_json::json!([expected, variable]));
    }
}

/// The value of an environment variable; `None` if it is not set or not valid UTF-8.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}
