//! Descriptions of what no service describes, because the gateway makes it: joined answers, gRPC methods as JSON, its own
//! pages, and who may ask for what.

use http::Method;
use serde_json::{Map, Value, json};

use super::joined::joined;
use crate::{
    chain::Link,
    config::Local,
    core::Core,
    route::{Action, Compiled},
    upstream,
};

/// Adds them to the joined document.
pub(super) fn describe(core: &Core, paths: &mut Map<String, Value>, components: &mut Map<String, Value>) {
    let services = json!({"paths": paths, "components": components});
    for route in core.gateway.table.routes() {
        for method in &route.methods {
            let key = method.as_str().to_lowercase();
            let known = paths.get(&route.path).and_then(|path| path.get(&key)).cloned();
            let operation = match (&route.action, known) {
                (Action::Forward(_) | Action::BrowserSpans(..), known) => known,
                (Action::Files(_), _) => None,
                (Action::Aggregate(plan), known) => {
                    let known = known.unwrap_or_else(|| {
                        let content = json!({"application/json": {}});
                        operation(route, "Joined from several services", &content)
                    });
                    Some(joined(plan, known, &services))
                }
                (Action::Grpc(call), _) => {
                    let summary = format!("{}, as JSON", call.name());
                    Some(operation(
                        route,
                        &summary,
                        &json!({"application/json": {"schema": call.schema()}}),
                    ))
                }
                (Action::Local(local), _) => Some(own(route, *local)),
            };
            // What a service does not describe it may not serve yet.
            let Some(mut operation) = operation else {
                continue;
            };
            operation["security"] = security(&route.links, method);
            if let Some(path) = paths
                .entry(&*route.path)
                .or_insert_with(|| json!({}))
                .as_object_mut()
            {
                path.insert(key, operation);
            }
        }
    }
    let schemes = components.entry("securitySchemes").or_insert_with(|| json!({}));
    schemes["bearer"] = json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"});
    schemes["api_key"] = json!({"type": "apiKey", "in": "header", "name": "x-api-key"});
    name_once(paths);
}

/// Whether a token is needed, or a key instead of one, and of which scope.
fn security(links: &[Link], method: &Method) -> Value {
    let mut keys = vec![json!({"api_key": []})];
    for link in links {
        if let Link::Scope(rule) = link {
            let scopes = rule.allowing(method).iter();
            keys = scopes.map(|scope| json!({"api_key": [scope]})).collect();
        }
    }
    let mut needed = vec![];
    for link in links {
        match link {
            Link::Auth(_) => needed = [vec![json!({"bearer": []})], keys.clone()].concat(),
            Link::AuthIfGiven(_) => needed = [vec![json!({}), json!({"bearer": []})], keys.clone()].concat(),
            _ => {}
        }
    }
    needed.into()
}

fn operation(route: &Compiled, summary: &str, content: &Value) -> Value {
    let parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|name| name.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    json!({
        "operationId": route.name,
        "tags": ["gateway"],
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "OK", "content": content},
            "default": {
                "description": "An error (RFC 9457)",
                "content": {"application/problem+json": {"schema": {"type": "object"}}},
            },
        },
    })
}

fn own(route: &Compiled, local: Local) -> Value {
    let object = json!({"application/json": {"schema": {"type": "object"}}});
    let (summary, content) = match local {
        Local::Healthz => ("The process lives", object),
        Local::Readyz => ("The gateway can answer requests", object),
        Local::Openapi => ("This document", object),
        Local::Docs => (
            "This document as a page",
            json!({"text/html": {"schema": {"type": "string"}}}),
        ),
        Local::Upstreams => (
            "The services behind the gateway, and how requests to them went",
            json!({"application/json": {"schema": upstream::schema()}}),
        ),
    };
    operation(route, summary, &content)
}

/// An operation's id is its name in generated clients, and must be the only one.
fn name_once(paths: &mut Map<String, Value>) {
    let mut seen: Vec<Value> = vec![];
    for (path, operations) in paths {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            let Some(id) = operation.get_mut("operationId") else {
                continue;
            };
            if seen.contains(id) {
                let words = path
                    .split(|c: char| !c.is_ascii_alphanumeric())
                    .filter(|word| !word.is_empty());
                *id = format!("{method}_{}", words.collect::<Vec<_>>().join("_")).into();
            }
            seen.push(id.clone());
        }
    }
}

/// Whether the document may show an operation: the gateway routes it.
pub(super) fn routed(core: &Core, method: &str, path: &str) -> bool {
    let Ok(method) = method.to_uppercase().parse::<Method>() else {
        return false;
    };
    let shape = |path: &str| -> Vec<String> {
        let hide = |name: &str| {
            if name.starts_with('{') {
                "{}".to_owned()
            } else {
                name.to_owned()
            }
        };
        path.split('/').map(hide).collect()
    };
    let wanted = shape(path);
    core.gateway
        .table
        .routes()
        .any(|route| route.methods.contains(&method) && shape(&route.path) == wanted)
}
