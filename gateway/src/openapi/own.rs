//! Describes the operations that the gateway implements itself: joined responses, gRPC methods as JSON, and its own
//! endpoints. Also adds the security requirements of every operation.

use serde_json::{Map, Value, json};

use super::joined::joined;
use crate::{
    actions::grpc::reply_schema,
    config::{Config, Link, Local, Route},
    report::{self, ConfigReport, RoutesReport},
    upstream,
};

/// Adds the gateway's operations, and the security requirements of all operations, to the merged document.
pub(super) fn add_operations(
    config: &Config,
    paths: &mut Map<String, Value>,
    components: &mut Map<String, Value>,
) {
    let services = json!({"paths": paths, "components": components});
    for (name, route) in &config.routes {
        let route_path = &route.matches.path.value;
        for method in &route.matches.methods {
            let key = method.to_lowercase();
            let known = paths.get(route_path).and_then(|path| path.get(&key)).cloned();
            let operation = if let Some(aggregate) = &route.aggregate {
                let known = known.unwrap_or_else(|| {
                    let content = json!({"application/json": {}});
                    operation(name, route, "Joined response of several services", None, &content)
                });
                Some(joined(aggregate, known, &services))
            } else if let Some(grpc) = &route.grpc {
                let grpc_name = &grpc.method.value;
                let summary = format!("Call {grpc_name} as JSON");
                let description = format!(
                    "Calls the gRPC method `{grpc_name}` and returns its reply as JSON. gRPC statuses become HTTP ones, \
                     for example `NOT_FOUND` becomes 404."
                );
                let content = json!({"application/json": {"schema": reply_schema(grpc).unwrap_or_default()}});
                Some(operation(name, route, &summary, Some(&description), &content))
            } else if let Some(local) = route.local {
                Some(local_operation(name, route, local, method))
            } else {
                // An operation that its service does not describe is left out, because the service may not serve it
                // yet. Files are not part of the API.
                known
            };
            let Some(mut operation) = operation else {
                continue;
            };
            operation["security"] = security(config, route, method);
            if let Some(path) = paths
                .entry(route_path)
                .or_insert_with(|| json!({}))
                .as_object_mut()
            {
                path.insert(key, operation);
            }
        }
    }
    let schemes = components.entry("securitySchemes").or_insert_with(|| json!({}));
    schemes["bearer"] = json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"});
    if config
        .policies
        .values()
        .flatten()
        .any(|link| matches!(link, Link::Basic(_)))
    {
        schemes["basic"] = json!({"type": "http", "scheme": "basic"});
    }
    schemes["api_key"] = json!({"type": "apiKey", "in": "header", "name": "x-api-key"});
    make_ids_unique(paths);
}

/// The security requirements of an operation: a bearer token, or an API key with one of the allowed scopes.
fn security(config: &Config, route: &Route, method: &str) -> Value {
    let is_safe = ["GET", "HEAD", "OPTIONS"].contains(&method);
    let mut keys = vec![json!({"api_key": []})];
    for link in config.links(route) {
        if let Link::Scope(rule) = link {
            let scopes = if is_safe { &rule.safe } else { &rule.other };
            keys = scopes.iter().map(|scope| json!({"api_key": [scope]})).collect();
        }
    }
    let mut requirements = vec![];
    for link in config.links(route) {
        match link {
            Link::Auth(_) => requirements = [vec![json!({"bearer": []})], keys.clone()].concat(),
            Link::Basic(_) => requirements = vec![json!({"basic": []})],
            Link::AuthIfGiven(_) => {
                requirements = [vec![json!({}), json!({"bearer": []})], keys.clone()].concat();
            }
            _ => {}
        }
    }
    requirements.into()
}

/// An operation that returns `content` with status 200.
fn operation(name: &str, route: &Route, summary: &str, description: Option<&str>, content: &Value) -> Value {
    let parameters: Vec<Value> = route
        .matches
        .path
        .value
        .split('/')
        .filter_map(|name| name.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    let mut operation = json!({
        "operationId": name,
        "tags": ["gateway"],
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "OK", "content": content},
            "default": {
                "description": "An error, as problem details (RFC 9457)",
                "content": {"application/problem+json": {"schema": {"type": "object"}}},
            },
        },
    });
    if let Some(description) = description {
        operation["description"] = description.into();
    }
    operation
}

/// The description of one of the gateway's own endpoints.
fn local_operation(name: &str, route: &Route, local: Local, method: &str) -> Value {
    let object = json!({"application/json": {"schema": {"type": "object"}}});
    let (summary, description, content) = match local {
        Local::Healthz => (
            "Check that the gateway runs",
            "Returns 200 while the process can respond. Does not check the services.",
            object,
        ),
        Local::Readyz => (
            "Check that the gateway can serve requests",
            "Returns 200 while the gateway has the keys to verify tokens and is not shutting down; otherwise 503.",
            object,
        ),
        Local::Openapi => (
            "Get this API document",
            "Returns the API documents of the services, merged into one. If a service has not responded yet, \
             `info.description` names it as missing.",
            object,
        ),
        Local::Docs => (
            "Browse this API document as a page",
            "Returns an HTML page that shows the API document.",
            json!({"text/html": {"schema": {"type": "string"}}}),
        ),
        Local::Config if method == "PUT" => (
            "Replace the configuration of the gateway",
            "For operators. Checks the configuration and replaces the current one, for the gateway replica that handles the \
             request and until its file changes or it restarts. An invalid configuration is refused (422) with the line and \
             column of the error, and the current one stays in force.",
            json!({"application/json": {"schema": report::schema::<ConfigReport>()}}),
        ),
        Local::Config => (
            "Show the state of the gateway's configuration",
            "For operators. Returns the digest of the configuration in force and the last attempts to change it, of the gateway \
             replica that handles the request.",
            json!({"application/json": {"schema": report::schema::<ConfigReport>()}}),
        ),
        Local::Routes => (
            "List the routes of the gateway, with their rates and latencies in the last minute",
            "For operators. Shows the figures of the gateway replica that handles the request. They do not include requests that \
             match no route.",
            json!({"application/json": {"schema": report::schema::<RoutesReport>()}}),
        ),
        Local::Upstreams => (
            "List the services behind the gateway, with their instances and breakers",
            "For operators. Shows the counters of the gateway replica that handles the request; they start at zero when it \
             starts.",
            json!({"application/json": {"schema": upstream::schema()}}),
        ),
    };
    let mut operation = operation(name, route, summary, Some(description), &content);
    if local == Local::Config && method == "PUT" {
        operation["requestBody"] = json!({
            "required": true,
            "description": "A whole configuration as YAML, as in gateway.yaml",
            "content": {"text/yaml": {"schema": {"type": "string"}}},
        });
    }
    operation
}

/// Makes operation ids unique, because generated clients use them as names. A duplicate is replaced by its method and
/// path.
fn make_ids_unique(paths: &mut Map<String, Value>) {
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

/// Whether the gateway routes this operation; names of path parameters may differ.
pub(super) fn routed(config: &Config, method: &str, path: &str) -> bool {
    let method = method.to_uppercase();
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
    let mut routes = config.routes.values().map(|route| &route.matches);
    routes.any(|matches| matches.methods.contains(&method) && shape(&matches.path.value) == wanted)
}
