//! The response of `GET /v1/admin/routes`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Figures;
use crate::config::{RateBy, Scheme};

/// The routes of the gateway with the figures of the last minute.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RoutesReport {
    /// Length of the time that the figures refer to, in seconds. Figures of routes that are newer refer to the time since they
    /// were added.
    pub window_seconds: u64,
    /// Figures of all routes together.
    pub total: Figures,
    /// The routes, ordered by name.
    pub items: Vec<RouteReport>,
    /// The quotas, ordered by policy.
    pub quotas: Vec<QuotaReport>,
    /// Always null, because all routes are in one response.
    pub next_cursor: (),
}

/// A route of the gateway.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RouteReport {
    /// Name of the route in gateway.yaml.
    pub name: String,
    /// The requests that the route matches.
    #[serde(rename = "match")]
    pub matches: MatchReport,
    /// The policies that a request passes, in this order.
    pub policies: Vec<PolicyReport>,
    /// How the response is produced.
    pub action: ActionReport,
    /// Time from the start of a request until its response must have ended, or for a stream, must have begun, in
    /// milliseconds.
    pub deadline_ms: u64,
    /// Figures of the last minute.
    pub figures: Figures,
    /// Limits of concurrent calls, one for each upstream that the route calls.
    pub limits: Vec<LimitReport>,
}

/// The requests that a route matches.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MatchReport {
    /// Names of hosts; empty if every host matches.
    pub hosts: Vec<String>,
    /// Path, which may contain `{parameters}`.
    pub path: String,
    /// HTTP methods; GET includes HEAD.
    pub methods: Vec<String>,
    /// The scheme that the client must have used; null for any.
    pub scheme: Option<Scheme>,
    /// Required header fields, as name to value; `*` stands for any value.
    pub headers: BTreeMap<String, String>,
    /// Required query parameters, as name to value; `*` stands for any value.
    pub query: BTreeMap<String, String>,
}

/// A policy of a route.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PolicyReport {
    /// Name of the policy in gateway.yaml.
    pub name: String,
    /// Kinds of its links, such as `rate`, in this order.
    pub links: Vec<String>,
}

/// How the response of a route is produced.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ActionReport {
    /// The kind of action.
    pub kind: ActionKind,
    /// Names of the upstreams that the action calls.
    pub upstreams: Vec<String>,
    /// The gRPC method, folder, redirect target or endpoint of the gateway; null for other actions.
    pub detail: Option<String>,
}

/// The ways in which a route produces a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// The request is forwarded to an upstream.
    Forward,
    /// A gRPC method is called.
    Grpc,
    /// The responses of several upstreams are joined.
    Aggregate,
    /// A file is served.
    Files,
    /// The client is redirected.
    Redirect,
    /// The gateway itself answers.
    Local,
}

/// The limit of concurrent calls of one route to one upstream.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LimitReport {
    /// Name of the upstream.
    pub upstream: String,
    /// Maximum number of calls in flight.
    pub max: u32,
    /// Maximum number of queued calls.
    pub queue: usize,
    /// Calls that are in flight now.
    pub in_flight: u32,
    /// Calls that are queued now.
    pub queued: usize,
    /// Calls that were rejected since the gateway started, because too many were in flight and queued.
    pub refused: u64,
}

/// The quotas of one policy, which all of its routes share.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct QuotaReport {
    /// Name of the policy in gateway.yaml, or `unmatched` for requests that match no route.
    pub policy: String,
    /// The quotas that a client has, in this order.
    pub rules: Vec<QuotaRule>,
    /// Requests that were rejected since the gateway started, because their client had used up a quota of the policy.
    pub refused: u64,
}

/// The quota of each client of a policy.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct QuotaRule {
    /// How clients are distinguished.
    pub by: RateBy,
    /// Number of requests of one client in each window.
    pub quota: u32,
    /// Length of the window in seconds.
    pub window_seconds: f64,
    /// Whether all replicas of the gateway count together; otherwise each replica counts alone.
    pub is_shared: bool,
}
