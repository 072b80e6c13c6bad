//! The upstreams as operators see them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Cluster,
    breaker::{self, Breaker},
};

/// All upstreams, as `GET /v1/admin/upstreams` shows them.
#[must_use]
pub fn report(clusters: &[Arc<Cluster>], breakers: &[Arc<Breaker>]) -> Value {
    let items: Vec<Value> = clusters
        .iter()
        .map(|cluster| {
            let instances: Vec<Value> = cluster.instances().iter().map(|one| one.report()).collect();
            json!({
                "name": cluster.name,
                "protocol": cluster.protocol,
                "discover": cluster.discovered_by(),
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
    let count = json!({"type": "integer", "minimum": 0});
    let text = json!({"type": "string"});
    let object = |properties: Value| {
        let required: Vec<&String> = properties
            .as_object()
            .into_iter()
            .flat_map(|all| all.keys())
            .collect();
        json!({"type": "object", "required": required, "properties": properties})
    };
    let mut failure = object(json!({"at": {"type": "string", "format": "date-time"}, "reason": text}));
    failure["type"] = json!(["object", "null"]);
    let instance = object(json!({
        "address": text, "in_flight": count, "requests": count, "failures": count, "last_failure": failure,
    }));
    let share = json!({"type": "number", "minimum": 0, "maximum": 1});
    let breaker = object(json!({
        "route": text,
        "state": {"type": "string", "enum": ["closed", "open", "half_open"]},
        "calls": {"type": "integer", "minimum": 0, "description": "What the rates are of"},
        "failure_rate": share,
        "slow_rate": share,
        "retry_in_seconds": {
            "type": ["number", "null"],
            "minimum": 0,
            "description": "Until an open one lets a few calls through, to see how they do",
        },
    }));
    let upstream = object(json!({
        "name": text,
        "protocol": {"type": "string", "enum": ["http", "grpc"]},
        "discover": {"type": "string", "enum": ["static", "dns"]},
        "instances": {"type": "array", "items": instance},
        "breakers": {
            "type": "array",
            "items": breaker,
            "description": "What keeps a route from asking it when it fails: one for each route whose policies name a breaker",
        },
    }));
    object(json!({"items": {"type": "array", "items": upstream}, "next_cursor": {"type": "null"}}))
}
