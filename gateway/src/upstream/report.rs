//! The list of upstreams, with their instances and breakers, for operators.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Cluster,
    breaker::{self, Breaker},
};

/// The response of `GET /v1/admin/upstreams`: all upstreams with their instances and breakers.
#[must_use]
pub fn report(clusters: &[Arc<Cluster>], breakers: &[Arc<Breaker>]) -> Value {
    let items: Vec<Value> = clusters
        .iter()
        .map(|cluster| {
            let instances: Vec<Value> = cluster.instances().iter().map(|one| one.report()).collect();
            json!({
                "name": cluster.name,
                "protocol": cluster.protocol,
                "discover": cluster.discovery(),
                "instances": instances,
                "breakers": breaker::report(breakers, cluster),
            })
        })
        .collect();
    json!({"items": items, "next_cursor": null})
}

/// The JSON Schema of [`report`].
#[must_use]
pub fn schema() -> Value {
    let count = |description: &str| json!({"type": "integer", "minimum": 0, "description": description});
    let text = |description: &str| json!({"type": "string", "description": description});
    let share =
        |description: &str| json!({"type": "number", "minimum": 0, "maximum": 1, "description": description});
    let object = |properties: Value| {
        let required: Vec<&String> = properties
            .as_object()
            .into_iter()
            .flat_map(|all| all.keys())
            .collect();
        json!({"type": "object", "required": required, "properties": properties})
    };
    let mut failure = object(json!({
        "at": {"type": "string", "format": "date-time", "description": "When the request failed"},
        "reason": text("Why the request failed, for operators"),
    }));
    failure["type"] = json!(["object", "null"]);
    failure["description"] = "The newest failure; null if there was none".into();
    let instance = object(json!({
        "address": text("IP address and port"),
        "state": {
            "type": "string",
            "enum": ["healthy", "unhealthy", "ejected"],
            "description": "Unhealthy: its health checks fail, or none was made yet. Ejected: its requests failed several times in a row.",
        },
        "latency_seconds": {
            "type": ["number", "null"],
            "minimum": 0,
            "description": "Average time to a response, which rises at once and falls slowly; null before the first response",
        },
        "in_flight": count("Requests that have not finished yet"),
        "requests": count("Requests since the gateway found this instance"),
        "failures": count("Failed requests and connections since the gateway found this instance"),
        "last_failure": failure,
    }));
    let breaker = object(json!({
        "route": text("Name of the route in gateway.yaml"),
        "state": {
            "type": "string",
            "enum": ["closed", "open", "half_open"],
            "description": "Closed: all calls are made. Open: no call is made. Half-open: a few calls are made as probes.",
        },
        "calls": count("Recent calls that the rates refer to; if the breaker is open, the calls that opened it"),
        "failure_rate": share("Share of these calls that failed"),
        "slow_rate": share("Share of these calls that were slow"),
        "retry_in_seconds": {
            "type": ["number", "null"],
            "minimum": 0,
            "description": "Seconds until an open breaker lets a few calls through as probes; null if it is not open",
        },
    }));
    let upstream = object(json!({
        "name": text("Name of the upstream in gateway.yaml"),
        "protocol": {"type": "string", "enum": ["http", "grpc"], "description": "Protocol of the upstream"},
        "discover": {
            "type": "string",
            "enum": ["static", "dns", "consul", "docker", "kubernetes"],
            "description": "How instances are found: a fixed list, a DNS name, a service in Consul or Kubernetes, or a label of containers",
        },
        "instances": {"type": "array", "items": instance, "description": "Currently known instances"},
        "breakers": {
            "type": "array",
            "items": breaker,
            "description": "Breakers that stop calls to this upstream while it fails, one for each route that has a breaker",
        },
    }));
    object(json!({"items": {"type": "array", "items": upstream}, "next_cursor": {"type": "null"}}))
}
