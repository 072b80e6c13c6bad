//! The services' API documents as one, of what this gateway routes and nothing else, and a page to browse it.

mod joined;
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
    body::{RequestBody, ResponseBody},
    config,
    core::Core,
    problem::Problem,
    upstream::{self, Pool},
};

/// How long the services are waited for; they are asked at the same time.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the joined document is served again at most when a service was away.
const RETRY: Duration = Duration::from_secs(5);

/// Where documents come from, and the joined one while it is fresh.
#[derive(Debug)]
pub(crate) struct Documents {
    title: String,
    version: String,
    from: Vec<(usize, String)>,
    cache: Duration,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The joined document, and until when it is served again.
    joined: Option<(Instant, Value)>,
    /// What each service last answered, in the order of `from`.
    parts: Vec<Option<Value>>,
}

impl Documents {
    pub(crate) fn new(config: &config::OpenApi, index: impl Fn(&str) -> usize) -> Self {
        Self {
            title: config.title.clone(),
            version: config.version.clone(),
            from: config
                .from
                .iter()
                .map(|(name, path)| (index(name), path.clone()))
                .collect(),
            cache: config.cache.0,
            known: Mutex::default(),
        }
    }
}

/// The joined document. Of a service that is away it tells what that said last; if that is nothing, it says what is missing,
/// so that nobody takes half an API for the whole.
pub(crate) async fn answer(core: &Core, deadline: Instant) -> Result<Response<ResponseBody>, Problem> {
    let Some(documents) = &core.gateway.documents else {
        return Err(Problem::not_found("there is no API document"));
    };
    let mut known = documents.known.lock().await;
    if let Some((until, joined)) = &known.joined
        && Instant::now() < *until
    {
        return Ok(crate::aggregate::json_response(joined));
    }
    let deadline = deadline.min(Instant::now() + PATIENCE);
    let asked = documents
        .from
        .iter()
        .map(|(upstream, path)| fetch(&core.pools[*upstream], path, deadline));
    let answers = join_all(asked).await;
    let all = answers.iter().all(Option::is_some);
    known.parts.resize(answers.len(), None);
    for (part, answer) in known.parts.iter_mut().zip(answers) {
        *part = answer.or(part.take());
    }
    let joined = join(core, documents, &known.parts);
    let kept = if all {
        documents.cache
    } else {
        documents.cache.min(RETRY)
    };
    let until = Instant::now() + kept;
    let response = crate::aggregate::json_response(&joined);
    known.joined = Some((until, joined));
    Ok(response)
}

/// A service's document. Why there is none, the call has logged, or the service itself.
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

fn join(core: &Core, documents: &Documents, parts: &[Option<Value>]) -> Value {
    let (mut paths, mut components) = (Map::new(), Map::new());
    let mut missing = vec![];
    for ((upstream, _), part) in documents.from.iter().zip(parts) {
        let name = &core.pools[*upstream].cluster.name;
        match part {
            Some(document) => merge(core, name, document.clone(), &mut paths, &mut components),
            None => missing.push(&**name),
        }
    }
    own::describe(core, &mut paths, &mut components);
    let mut info = json!({"title": documents.title, "version": documents.version});
    if !missing.is_empty() {
        info["description"] = format!(
            "Incomplete: without {}, which did not answer.",
            missing.join(", ")
        )
        .into();
    }
    json!({"openapi": "3.1.0", "info": info, "paths": paths, "components": components})
}

/// Takes over what is routed. A schema of the same name and another shape gets the service's name before its own.
fn merge(
    core: &Core,
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
            if own::routed(core, method, path)
                && let Some(known) = paths
                    .entry(path.clone())
                    .or_insert_with(|| json!({}))
                    .as_object_mut()
            {
                let mut operation = operation.clone();
                describe(&mut operation);
                known.insert(method.clone(), operation);
            }
        }
    }
}

/// OpenAPI demands a description of every response; where a service has none, the status says enough.
fn describe(operation: &mut Value) {
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
                .or_insert_with(|| reason.unwrap_or("An answer").into());
        }
    }
}

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

/// The page. It draws the document that it fetches from beside it, with nothing from elsewhere.
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
