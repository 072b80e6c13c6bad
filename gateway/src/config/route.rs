//! The structure of a route in the file: which requests it matches, which policies apply, and how the response is
//! produced.

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Name, Span};

/// A route: the requests that it matches, and how they are handled.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The requests that the route matches.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Names of the policies that a request passes, in this order.
    #[serde(rename = "use")]
    pub uses: Vec<Name>,
    /// Name of the upstream that requests are forwarded to, as HTTP or, with `grpc`, as a gRPC call. If the upstream has
    /// `protocol: grpc` and there is no `grpc`, gRPC and gRPC-Web calls are passed through: `body` of `limits` is then the
    /// maximum size of one message.
    #[serde(default)]
    pub to: Option<Name>,
    /// Time from the head of a request to the end of its response. Absent: the deadline of `limits`. A gRPC call may set a
    /// shorter one in `grpc-timeout`.
    #[serde(default)]
    pub deadline: Option<Span>,
    /// Declares the response a stream: the deadline applies to its head only, and the stream ends after this time
    /// without data. For gRPC calls that are passed through: only the client's own deadline applies, and a call ends
    /// after this time without data in either direction, or when the client's token expires.
    #[serde(default)]
    pub idle: Option<Span>,
    /// Clients may open WebSockets. Absent: a request for one is forwarded as a plain GET.
    #[serde(default)]
    pub websocket: Option<WebSocket>,
    /// If the upstream gives no response, the request is accepted (202) and dropped instead of failing. Default: false.
    #[serde(default)]
    pub best_effort: bool,
    /// The route accepts trace spans from browsers and forwards only what these rules allow to the upstream, a
    /// collector.
    #[serde(default)]
    pub browser_spans: Option<BrowserSpans>,
    /// The response is the reply of a gRPC method of the upstream `to`, as JSON.
    #[serde(default)]
    pub grpc: Option<Grpc>,
    /// The response is joined from those of several upstreams.
    #[serde(default)]
    pub aggregate: Option<Aggregate>,
    /// The response is a file of a folder.
    #[serde(default)]
    pub files: Option<Files>,
    /// The response is a redirect.
    #[serde(default)]
    pub redirect: Option<Redirect>,
    /// The response is produced by the gateway itself.
    #[serde(default)]
    pub local: Option<Local>,
}

/// WebSockets of a route, which are passed through. They also end when the client's token expires or the gateway shuts
/// down. Only clients that use HTTP/1.1 can open them.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebSocket {
    /// Time without data in either direction after which a connection is closed.
    pub idle: Span,
}

/// The scheme of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// The request is not encrypted.
    Http,
    /// HTTP over a TLS connection.
    Https,
}

/// A redirect to another URL.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// URL or path, with `{name}` for the parameters of the route's path. The query of the request is kept unless this
    /// has one.
    pub to: Name,
    /// Status: 301, 302, 303, 307 or 308. Default: 308, which browsers remember and which keeps the method.
    #[serde(default = "Redirect::default_status")]
    pub status: u16,
}

impl Redirect {
    fn default_status() -> u16 {
        308
    }
}

/// A folder whose files are served under their paths. `FILE.br` and `FILE.gz` next to a file are its compressed
/// versions.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Path of the folder. If it does not exist, every file is missing (404).
    pub folder: PathBuf,
    /// The file that is served if a browser navigates to a path without a file. Absent: 404.
    #[serde(default)]
    pub fallback: Option<String>,
    /// Path prefixes, each beginning with a slash, below which no file and no fallback is served.
    #[serde(default)]
    pub never: Vec<String>,
    /// Path prefix of files whose names change with their content, which browsers may cache without revalidation.
    #[serde(default)]
    pub immutable: Option<String>,
    /// Headers that are added to every response with a file.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// Rules for spans that browsers send as uncompressed OTLP/HTTP JSON: what is forwarded to the collector.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrowserSpans {
    /// The only accepted `service.name`.
    pub service: String,
    /// Maximum number of spans in one request; a request with more is rejected (422).
    pub max: NonZeroUsize,
    /// Names of the span attributes that are forwarded; all others are dropped.
    pub attributes: Vec<String>,
}

/// Responses that the gateway produces itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Local {
    /// Liveness: 200 while the process runs.
    Healthz,
    /// Readiness: 200 while the gateway has its token keys and is not shutting down.
    Readyz,
    /// The merged API document, as JSON.
    Openapi,
    /// The API document as an HTML page.
    Docs,
    /// The list of upstreams, with their instances and breakers.
    Upstreams,
    /// The list of routes, with the figures of the last minute.
    Routes,
    /// GET: the state of the configuration and its last changes. PUT: replaces the configuration by the YAML in the body.
    Config,
}

/// The requests that a route matches.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// A path, which may contain `{parameters}` and may end with `{*rest}` for everything below it.
    pub path: Name,
    /// HTTP methods; GET includes HEAD.
    pub methods: Vec<String>,
    /// Names of hosts, without a port: `shop.example`, or `*.shop.example` for all names below. A host name is tried
    /// before a pattern, and a pattern before routes without hosts. Absent: every host.
    #[serde(default)]
    pub hosts: Vec<Name>,
    /// The scheme that the client used, either with this listener or according to a trusted proxy. Absent: any.
    #[serde(default)]
    pub scheme: Option<Scheme>,
    /// Header fields that the request must have, as name to value; `*` stands for any value. Of the routes with the same
    /// path and method, those with the most conditions (`scheme`, `headers` and `query`) are tried
    /// first. Absent: none.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Query parameters that the request must have, as name to value; `*` stands for any value. Absent: none.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
}

/// A unary gRPC method and a template of its request.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grpc {
    /// Full name of the method: `package.Service/Method`.
    pub method: Name,
    /// The request message as JSON, which may contain `{parameters}` and values of other parts.
    pub request: serde_json::Value,
    /// JSON pointer to the part of the reply that is returned. Absent: the whole reply.
    #[serde(default)]
    pub pick: Option<String>,
}

/// A response that is joined from those of several upstreams.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// The requests to make, by name. A part that refers to another, as in `{order/lines/*/sku}`, waits for it; all
    /// others run in parallel.
    pub parts: BTreeMap<String, Part>,
    /// The part whose fields become the top level of the response. All other parts are fields with their names.
    /// Absent: every part is such a field.
    #[serde(default)]
    pub merge: Option<Name>,
    /// Parts that are lists and whose elements are inserted into the elements of another list.
    #[serde(default)]
    pub join: Vec<Join>,
    /// Adds line totals and their sum. Absent: none.
    #[serde(default)]
    pub total: Option<Total>,
}

/// One request of a joined response.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Name of the upstream.
    pub to: Name,
    /// Path and query of a GET request, as a template. A part has either this or `grpc`.
    #[serde(default)]
    pub path: Option<String>,
    /// A gRPC method to call instead.
    #[serde(default)]
    pub grpc: Option<Grpc>,
    /// Whether the whole response fails if this part fails. Otherwise the part is `null` and named in `degraded`.
    /// Default: false.
    #[serde(default)]
    pub required: bool,
    /// JSON pointer to the value of the part within the response of the upstream. Absent: all of it.
    #[serde(default)]
    pub pick: Option<String>,
}

/// Inserts the elements of `part` into those elements of the list at `into` that have the same value of `by`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// Name of a part whose value is a list.
    pub part: Name,
    /// JSON pointer to the list in the joined response.
    pub into: String,
    /// Name of the field that both elements have.
    pub by: String,
    /// Name of the new field that holds the inserted element, or null if there is none.
    pub r#as: String,
}

/// Adds `line_total` (quantity × price) to each element of the list at `lines`, and `total` at the top level.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// JSON pointer to the list in the joined response.
    pub lines: String,
    /// JSON pointer to the quantity within a line.
    pub quantity: String,
    /// JSON pointer to the price, `{amount, currency}`, within a line.
    pub price: String,
}
