//! Accepts trace spans from browsers, as OTLP/HTTP JSON. Any client can send anything here, so a message is never
//! forwarded unchanged. It is parsed, and a new message is built that contains only the configured service and
//! attributes and the known fields of spans, limited in number and length.

use std::{collections::BTreeSet, time::Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telemetry::http::REQUEST_ID;

use super::Forward;
use crate::{
    config,
    message::{Client, ClientBody, Problem, RequestBody, ResponseBody},
    upstream::Pools,
};

/// Maximum length of a span's name and of a text attribute, in characters. Longer texts are truncated.
const MAX_TEXT: usize = 256;
/// Maximum duration of a span, in nanoseconds: one hour. Longer spans are rejected.
const MAX_DURATION: u64 = 3_600_000_000_000;

/// The `browser_spans` rules of a route.
#[derive(Debug)]
pub(crate) struct BrowserSpans {
    /// The only accepted `service.name`.
    service: String,
    max: usize,
    attributes: BTreeSet<String>,
    forward: Forward,
}

/// The fields of an `ExportTraceServiceRequest` that are kept; all others are dropped.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Export {
    #[serde(default)]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    #[serde(default)]
    resource: Resource,
    #[serde(default)]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Resource {
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ScopeSpans {
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    trace_id: String,
    #[serde(rename = "spanId")]
    id: String,
    #[serde(rename = "parentSpanId", default, skip_serializing_if = "String::is_empty")]
    parent: String,
    name: String,
    #[serde(default)]
    kind: u8,
    start_time_unix_nano: Nanoseconds,
    end_time_unix_nano: Nanoseconds,
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Status {
    #[serde(default)]
    code: u8,
}

#[derive(Debug, Serialize, Deserialize)]
struct Attribute {
    key: String,
    #[serde(default)]
    value: Value,
}

/// A time in nanoseconds since 1970. The JSON mapping of protobuf writes 64-bit integers as strings; numbers are
/// accepted as well.
#[derive(Debug, Clone, Copy)]
struct Nanoseconds(u64);

impl Serialize for Nanoseconds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Nanoseconds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        };
        number
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a time is a number of nanoseconds"))
    }
}

impl BrowserSpans {
    /// Compiles the action; `forward` leads to the collector.
    pub(crate) fn new(config: &config::BrowserSpans, forward: Forward) -> Self {
        Self {
            forward,
            service: config.service.clone(),
            max: config.max.get(),
            attributes: config.attributes.iter().cloned().collect(),
        }
    }

    /// Forwards the allowed part of a client's spans to the collector.
    pub(crate) async fn run(
        &self,
        pools: &Pools,
        client: &Client,
        request: Request<ClientBody>,
        deadline: Instant,
    ) -> Result<Response<ResponseBody>, Problem> {
        let host = pools.pool(self.forward.upstream()).cluster.host.clone();
        let request = self.sanitize(request, host, deadline).await?;
        self.forward.run_own(pools, client, request, deadline).await
    }

    /// Builds the request to the collector. It contains the cleaned spans and the request id, and nothing else of the
    /// client's request.
    async fn sanitize(
        &self,
        request: Request<ClientBody>,
        host: HeaderValue,
        deadline: Instant,
    ) -> Result<Request<RequestBody>, Problem> {
        let headers = request.headers();
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let is_json = kind.is_some_and(|kind| {
            let essence = kind.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case("application/json")
        });
        // A compressed body could expand to any size.
        if !is_json || headers.contains_key(header::CONTENT_ENCODING) {
            return Err(Problem::unsupported_media_type(
                "send spans as application/json, uncompressed",
            ));
        }
        let (path, id) = (
            request.uri().path().parse::<Uri>(),
            headers.get(REQUEST_ID).cloned(),
        );
        let body = request.into_body().read(deadline).await?;
        let mut cleaned = Request::new(RequestBody::Full(Some(self.clean(&body)?)));
        *cleaned.method_mut() = Method::POST;
        *cleaned.uri_mut() = path.map_err(|_| Problem::bad_request("the path is not valid"))?;
        let headers: &mut HeaderMap = cleaned.headers_mut();
        headers.insert(header::HOST, host);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(id.map(|id| (REQUEST_ID, id)));
        Ok(cleaned)
    }

    /// Builds the message for the collector from the client's message.
    fn clean(&self, body: &[u8]) -> Result<Bytes, Problem> {
        let mut export: Export = serde_json::from_slice(body).map_err(|error| {
            Problem::invalid(format!("the body is not a valid OTLP trace export: {error}"))
        })?;
        let has_own_service = |resource: &ResourceSpans| {
            let attributes = resource.resource.attributes.iter();
            let names: Vec<_> = attributes.filter(|one| one.key == "service.name").collect();
            !names.is_empty() && names.iter().all(|one| one.value["stringValue"] == *self.service)
        };
        if !export.resource_spans.iter().all(has_own_service) {
            return Err(Problem::invalid(format!(
                "only spans of the service `{}` are accepted",
                self.service
            )));
        }
        let mut spans = vec![];
        for resource in &mut export.resource_spans {
            for scope in &mut resource.scope_spans {
                spans.append(&mut scope.spans);
            }
        }
        if spans.len() > self.max {
            return Err(Problem::invalid(format!(
                "a request may have at most {} spans",
                self.max
            )));
        }
        spans.iter_mut().try_for_each(|span| self.clean_span(span))?;
        let name = Attribute {
            key: "service.name".to_owned(),
            value: serde_json::json!({"stringValue": self.service}),
        };
        let export = Export {
            resource_spans: vec![ResourceSpans {
                resource: Resource {
                    attributes: vec![name],
                },
                scope_spans: vec![ScopeSpans { spans }],
            }],
        };
        let text = serde_json::to_vec(&export)
            .map_err(|_| Problem::internal("the spans could not be serialized"))?;
        Ok(Bytes::from(text))
    }

    fn clean_span(&self, span: &mut Span) -> Result<(), Problem> {
        let invalid = |what: &str| Err(Problem::invalid(format!("a span has an invalid {what}")));
        if !is_id(&span.trace_id, 32) || !is_id(&span.id, 16) {
            return invalid("id");
        }
        if !span.parent.is_empty() && !is_id(&span.parent, 16) {
            return invalid("parent");
        }
        // Unspecified, internal and client: a browser is neither a server nor a consumer.
        if ![0, 1, 3].contains(&span.kind) || span.status.code > 2 {
            return invalid("kind or status");
        }
        let took = span.end_time_unix_nano.0.checked_sub(span.start_time_unix_nano.0);
        if took.is_none_or(|took| took > MAX_DURATION) {
            return invalid("start or end time");
        }
        span.name = truncate(&span.name);
        let mut known = BTreeSet::new();
        span.attributes.retain_mut(|attribute| {
            let value = scalar(&attribute.value);
            let is_kept = value.is_some()
                && self.attributes.contains(&attribute.key)
                && known.insert(attribute.key.clone());
            attribute.value = value.unwrap_or_default();
            is_kept
        });
        Ok(())
    }
}

/// Whether the text is an id of OpenTelemetry: `length` hexadecimal digits that are not all zero.
fn is_id(text: &str, length: usize) -> bool {
    text.len() == length
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte != b'0')
}

/// The first [`MAX_TEXT`] characters of a text, without control characters.
fn truncate(text: &str) -> String {
    text.chars()
        .filter(|char| !char.is_control())
        .take(MAX_TEXT)
        .collect()
}

/// The attribute value if it is a string, a number or a boolean; `None` for lists and maps.
fn scalar(value: &Value) -> Option<Value> {
    let (kind, value) = value
        .as_object()
        .filter(|fields| fields.len() == 1)?
        .iter()
        .next()?;
    let value: Value = match (kind.as_str(), value) {
        ("stringValue", Value::String(text)) => truncate(text).into(),
        ("intValue", Value::String(text)) => text.parse::<i64>().ok()?.to_string().into(),
        ("intValue", Value::Number(number)) => number.as_i64()?.into(),
        ("doubleValue", Value::Number(number)) => number.as_f64()?.into(),
        ("boolValue", Value::Bool(value)) => (*value).into(),
        _ => return None,
    };
    Some(serde_json::json!({ kind: value }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::upstream::Target;

    fn rules() -> BrowserSpans {
        let rules = "{service: storefront, max: 3, attributes: [url.template, http.response.status_code]}";
        let route = "{match: {path: /traces, methods: [POST]}, use: [], to: collector}";
        let target = Target {
            upstream: 0,
            breaker: None,
            in_flight: None,
            resends: None,
        };
        let forward = Forward::new(
            &serde_saphyr::from_str(route).unwrap(),
            target,
            vec![],
            CancellationToken::new(),
        );
        BrowserSpans::new(&serde_saphyr::from_str(rules).unwrap(), forward)
    }

    fn span() -> Value {
        json!({"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "place order",
            "kind": 3, "startTimeUnixNano": "1764400000000000000", "endTimeUnixNano": 1_764_400_000_100_000_000_u64})
    }

    fn export(service: &str, spans: &[Value]) -> Value {
        let resource = json!({"attributes": [
            {"key": "service.name", "value": {"stringValue": service}},
            {"key": "host.name", "value": {"stringValue": "mine"}},
        ]});
        json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "x"}, "spans": spans}]}], "more": 1})
    }

    fn clean(export: &Value) -> Result<Value, u16> {
        let cleaned = rules().clean(export.to_string().as_bytes());
        let cleaned = cleaned.map_err(|problem| problem.status().as_u16())?;
        Ok(serde_json::from_slice(&cleaned).unwrap())
    }

    #[test]
    fn only_configured_fields_and_attributes_are_forwarded() {
        let mut sent = span();
        sent["parentSpanId"] = "53995c3f42cd8ad8".into();
        sent["events"] = json!([{"name": "an event"}]);
        sent["links"] = json!([{"traceId": "x"}]);
        sent["status"] = json!({"code": 2, "message": "mine"});
        sent["attributes"] = json!([
            {"key": "url.template", "value": {"stringValue": "/v1/orders"}},
            {"key": "url.template", "value": {"stringValue": "twice"}},
            {"key": "http.response.status_code", "value": {"intValue": 202}},
            {"key": "service.name", "value": {"stringValue": "orders"}},
            {"key": "db.query.text", "value": {"stringValue": "mine"}},
        ]);
        let cleaned = clean(&export("storefront", &[sent])).unwrap();
        let mut kept = span();
        kept["parentSpanId"] = "53995c3f42cd8ad8".into();
        kept["endTimeUnixNano"] = "1764400000100000000".into();
        kept["status"] = json!({"code": 2});
        kept["attributes"] = json!([
            {"key": "url.template", "value": {"stringValue": "/v1/orders"}},
            {"key": "http.response.status_code", "value": {"intValue": 202}},
        ]);
        let resource =
            json!({"attributes": [{"key": "service.name", "value": {"stringValue": "storefront"}}]});
        assert_eq!(
            cleaned,
            json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [kept]}]}]})
        );
    }

    #[test]
    fn other_services_too_many_spans_and_invalid_spans_are_rejected() {
        assert!(clean(&export("storefront", &[span(), span(), span()])).is_ok());
        assert_eq!(
            clean(&export("storefront", &[span(), span(), span(), span()])),
            Err(422)
        );
        assert_eq!(clean(&export("orders", &[span()])), Err(422));
        assert_eq!(
            clean(&json!({"resourceSpans": [{"scopeSpans": [{"spans": [span()]}]}]})),
            Err(422)
        );
        for (field, value) in [
            ("traceId", json!("0".repeat(32))),
            ("traceId", json!("4bf9")),
            ("traceId", json!("zbf92f3577b34da6a3ce929d0e0e4736")),
            ("spanId", json!(7)),
            ("parentSpanId", json!("0".repeat(16))),
            ("kind", json!(2)),
            ("kind", json!(-1)),
            ("status", json!({"code": 3})),
            ("startTimeUnixNano", json!("tomorrow")),
            ("startTimeUnixNano", json!("1")),
            ("endTimeUnixNano", json!("1")),
        ] {
            let mut bad = span();
            bad[field] = value;
            assert_eq!(clean(&export("storefront", &[bad.clone()])), Err(422), "{bad:#}");
        }
        assert_eq!(rules().clean(b"[").unwrap_err().status(), 422);
        let deep = "[".repeat(60_000);
        assert_eq!(rules().clean(deep.as_bytes()).unwrap_err().status(), 422);
    }

    #[test]
    fn texts_are_truncated_and_structured_values_dropped() {
        let mut sent = span();
        sent["name"] = format!("a\u{1b}[31m{}", "x".repeat(5000)).into();
        sent["attributes"] = json!([{"key": "url.template", "value": {"arrayValue": {"values": []}}}]);
        let cleaned = clean(&export("storefront", &[sent])).unwrap();
        let kept = &cleaned["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        let name = kept["name"].as_str().unwrap();
        assert_eq!(name.len(), MAX_TEXT);
        assert!(name.starts_with("a[31mx"), "{name}");
        assert_eq!(kept["attributes"], json!([]));
    }
}
