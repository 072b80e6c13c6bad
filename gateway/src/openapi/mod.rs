//! Merges the API documents of the services into one that describes exactly what this gateway routes, and serves a page
//! to browse it.

mod joined;
mod links;
mod own;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join_all;
use http::{HeaderValue, Request, Response, header};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::{
    config::{Config, OpenApi},
    message::{RequestBody, ResponseBody},
    upstream::{self, Pool, Pools},
};

/// Timeout for fetching the documents of all services, which happens in parallel.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum time that the merged document is cached if a service did not respond.
const INCOMPLETE_CACHE: Duration = Duration::from_secs(5);

/// The sources of the API document, and its cache.
#[derive(Debug)]
pub(crate) struct Documents {
    config: Arc<Config>,
    cached: Mutex<Cached>,
}

#[derive(Debug, Default)]
struct Cached {
    /// The merged document, and until when it may be served.
    merged: Option<(Instant, Value)>,
    /// The last document of each service, in the order of `from`.
    parts: Vec<Option<Value>>,
}

impl Documents {
    /// Creates the sources with an empty cache. `None` if the configuration has no API document.
    pub(crate) fn new(config: &Arc<Config>) -> Option<Self> {
        config.openapi.as_ref()?;
        Some(Self {
            config: Arc::clone(config),
            cached: Mutex::default(),
        })
    }

    /// The merged document. If a service is unavailable, its last known document is used. If there is none, the
    /// description lists the service as missing, so that readers know that the document is incomplete.
    pub(crate) async fn merged(&self, pools: &Pools, deadline: Instant) -> Value {
        let Some(openapi) = &self.config.openapi else {
            return Value::Null;
        };
        let mut cached = self.cached.lock().await;
        if let Some((until, merged)) = &cached.merged
            && Instant::now() < *until
        {
            return merged.clone();
        }
        let deadline = deadline.min(Instant::now() + FETCH_TIMEOUT);
        let requests = openapi.from.iter().map(|(name, path)| async move {
            let upstream = self.config.upstreams.keys().position(|known| known == name)?;
            fetch(pools.pool(upstream), path, deadline).await
        });
        let answers = join_all(requests).await;
        let all = answers.iter().all(Option::is_some);
        cached.parts.resize(answers.len(), None);
        for (part, answer) in cached.parts.iter_mut().zip(answers) {
            *part = answer.or(part.take());
        }
        let merged = merge_all(&self.config, openapi, &cached.parts);
        let max_age = if all {
            openapi.cache.0
        } else {
            openapi.cache.0.min(INCOMPLETE_CACHE)
        };
        cached.merged = Some((Instant::now() + max_age, merged.clone()));
        merged
    }
}

/// Fetches the document of a service. `None` if that fails; the call or the service itself has logged the reason.
async fn fetch(pool: &Arc<Pool>, path: &str, deadline: Instant) -> Option<Value> {
    let mut request = Request::new(RequestBody::empty());
    *request.uri_mut() = path.parse().ok()?;
    request
        .headers_mut()
        .insert(header::HOST, pool.cluster.host.clone());
    let response = upstream::collect(pool, None, request, deadline).await.ok()?;
    let document: Value = serde_json::from_slice(response.body()).ok()?;
    (response.status().is_success() && document.is_object()).then_some(document)
}

fn merge_all(config: &Config, openapi: &OpenApi, parts: &[Option<Value>]) -> Value {
    let (mut paths, mut components) = (Map::new(), Map::new());
    let mut missing = vec![];
    for (name, part) in openapi.from.keys().zip(parts) {
        match part {
            Some(document) => merge(config, name, document.clone(), &mut paths, &mut components),
            None => missing.push(&**name),
        }
    }
    own::add_operations(config, &mut paths, &mut components);
    if components
        .get("schemas")
        .is_some_and(|schemas| schemas.get("Problem").is_some())
    {
        add_rejections(&mut paths, &mut components);
    }
    links::add(&mut paths, &components);
    let mut info = json!({"title": openapi.title, "version": openapi.version});
    if !missing.is_empty() {
        info["description"] = format!(
            "Incomplete: the description of these services is missing, because they did not respond: {}.",
            missing.join(", ")
        )
        .into();
    }
    json!({"openapi": "3.1.0", "info": info, "paths": paths, "components": components})
}

/// Merges the document of a service, limited to the operations that are routed. A component that differs from a known
/// one of the same name gets the name of the service as a prefix.
fn merge(
    config: &Config,
    service: &str,
    mut document: Value,
    paths: &mut Map<String, Value>,
    components: &mut Map<String, Value>,
) {
    let mut renamed = vec![];
    for (kind, items) in document["components"].as_object().into_iter().flatten() {
        let known = components.entry(kind.clone()).or_insert_with(|| json!({}));
        for (name, item) in items.as_object().into_iter().flatten() {
            if known.get(name).is_some_and(|other| other != item) {
                renamed.push((format!("#/components/{kind}/{name}"), kind.clone(), name.clone()));
            }
        }
    }
    for (reference, kind, name) in &renamed {
        let new = format!("{service}.{name}");
        replace(&mut document, reference, &format!("#/components/{kind}/{new}"));
        if let Some(items) = document["components"][kind].as_object_mut()
            && let Some(item) = items.remove(name)
        {
            items.insert(new, item);
        }
    }
    for (kind, items) in document["components"].as_object().into_iter().flatten() {
        let known = components.entry(kind.clone()).or_insert_with(|| json!({}));
        if let (Some(known), Some(items)) = (known.as_object_mut(), items.as_object()) {
            known.extend(items.clone());
        }
    }
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            if own::routed(config, method, path)
                && let Some(known) = paths
                    .entry(path.clone())
                    .or_insert_with(|| json!({}))
                    .as_object_mut()
            {
                let mut operation = operation.clone();
                describe_responses(&mut operation);
                known.insert(method.clone(), operation);
            }
        }
    }
}

/// Adds the standard reason phrase to responses without a description, because OpenAPI requires one.
fn describe_responses(operation: &mut Value) {
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        let reason = status
            .parse()
            .ok()
            .and_then(|status: http::StatusCode| status.canonical_reason());
        if let Some(fields) = response
            .as_object_mut()
            .filter(|fields| !fields.contains_key("$ref"))
        {
            fields
                .entry("description")
                .or_insert_with(|| reason.unwrap_or("A response").into());
        }
    }
}

/// Adds the problems with which the gateway can reject any request, or a service any body, to every operation that does not
/// describe that status itself. Each is described once, and the operations refer to it.
fn add_rejections(paths: &mut Map<String, Value>, components: &mut Map<String, Value>) {
    // Status, name, description, and whether only requests with a body are rejected so.
    const REJECTIONS: [(&str, &str, &str, bool); 6] = [
        ("400", "BadRequest", "The request is malformed", false),
        ("413", "PayloadTooLarge", "The body is too large", true),
        (
            "415",
            "UnsupportedMediaType",
            "The body has an unsupported media type",
            true,
        ),
        (
            "429",
            "TooManyRequests",
            "The quota is used up; retry after the time in `Retry-After`",
            false,
        ),
        (
            "503",
            "ServiceUnavailable",
            "The service is overloaded or unavailable; retry after the time in `Retry-After`",
            false,
        ),
        (
            "504",
            "GatewayTimeout",
            "The service did not respond in time",
            false,
        ),
    ];
    let described = components.entry("responses").or_insert_with(|| json!({}));
    for (_, name, description, _) in REJECTIONS {
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let content = json!({"application/problem+json": {"schema": schema}});
        described[name] = json!({"description": description, "content": content});
    }
    let operations = paths.values_mut().filter_map(Value::as_object_mut);
    for operation in operations.flat_map(Map::values_mut) {
        let has_body = operation.get("requestBody").is_some();
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
            continue;
        };
        for (status, name, _, needs_body) in REJECTIONS {
            if has_body || !needs_body {
                let reference = || json!({"$ref": format!("#/components/responses/{name}")});
                responses.entry(status).or_insert_with(reference);
            }
        }
    }
}

/// Replaces the target of every `$ref` to `from`.
fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, field)| match field {
            Value::String(text) if key == "$ref" && text == from => to.clone_into(text),
            other => replace(other, from, to),
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, from, to)),
        _ => {}
    }
}

/// The HTML page that shows the API document. It fetches `/openapi.json`, and the policy blocks all other sources.
pub(crate) fn page() -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::full(include_str!("../docs.html")));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    let policy =
        "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
