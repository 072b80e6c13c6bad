//! Spans that browsers send, as OTLP/HTTP JSON. Whoever can open the shop can send anything here, so nothing is handed on
//! as it came: the message is read, and a new one is written that has only the service, the fields and the attributes that
//! the file names, in limited numbers and lengths.

use std::{collections::BTreeSet, time::Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    body::RequestBody,
    client_body::{ClientBody, UploadEnd},
    config,
    core::Core,
    forward,
    headers::REQUEST_ID,
    problem::Problem,
};

/// Characters of a span's name, and of a text in an attribute; more are cut off.
const LONGEST_TEXT: usize = 256;
/// What a browser does takes no longer; in nanoseconds.
const LONGEST_SPAN: u64 = 3_600_000_000_000;

/// The rules of a route, ready for requests.
#[derive(Debug)]
pub(crate) struct BrowserSpans {
    service: String,
    most: usize,
    attributes: BTreeSet<String>,
}

/// The parts of an `ExportTraceServiceRequest` that are kept; all others are ignored.
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

/// A 64-bit number, which JSON as of protobuf has as a text.
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
    pub(crate) fn new(config: &config::BrowserSpans) -> Self {
        Self {
            service: config.service.clone(),
            most: config.max.get(),
            attributes: config.attributes.iter().cloned().collect(),
        }
    }

    /// The request for the collector, with nothing of the client's but the spans.
    pub(crate) async fn read(
        &self,
        core: &Core,
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
        // Compressed bodies could unpack to any size.
        if !is_json || headers.contains_key(header::CONTENT_ENCODING) {
            return Err(Problem::unsupported_media_type(
                "spans are sent as application/json, uncompressed",
            ));
        }
        let (path, id) = (
            request.uri().path().parse::<Uri>(),
            headers.get(REQUEST_ID).cloned(),
        );
        let body = collect(core, request.into_body(), deadline).await?;
        let mut cleaned = Request::new(RequestBody::Full(Some(self.clean(&body)?)));
        *cleaned.method_mut() = Method::POST;
        *cleaned.uri_mut() = path.map_err(|_| Problem::bad_request("the path is not valid"))?;
        let headers: &mut HeaderMap = cleaned.headers_mut();
        headers.insert(header::HOST, host);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(id.map(|id| (REQUEST_ID, id)));
        Ok(cleaned)
    }

    /// The message as it is handed on.
    fn clean(&self, body: &[u8]) -> Result<Bytes, Problem> {
        let mut export: Export = serde_json::from_slice(body)
            .map_err(|error| Problem::invalid(format!("these are no spans: {error}")))?;
        let of_us = |resource: &ResourceSpans| {
            let attributes = resource.resource.attributes.iter();
            let names: Vec<_> = attributes.filter(|one| one.key == "service.name").collect();
            !names.is_empty() && names.iter().all(|one| one.value["stringValue"] == *self.service)
        };
        if !export.resource_spans.iter().all(of_us) {
            return Err(Problem::invalid(format!(
                "only spans of the service `{}` are taken here",
                self.service
            )));
        }
        let mut spans = vec![];
        for resource in &mut export.resource_spans {
            for scope in &mut resource.scope_spans {
                spans.append(&mut scope.spans);
            }
        }
        if spans.len() > self.most {
            return Err(Problem::invalid(format!("at most {} spans at a time", self.most)));
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
        let text =
            serde_json::to_vec(&export).map_err(|_| Problem::internal("the spans cannot be written"))?;
        Ok(Bytes::from(text))
    }

    fn clean_span(&self, span: &mut Span) -> Result<(), Problem> {
        let invalid = |what: &str| Err(Problem::invalid(format!("a span has {what} that is not valid")));
        if !is_id(&span.trace_id, 32) || !is_id(&span.id, 16) {
            return invalid("an id");
        }
        if !span.parent.is_empty() && !is_id(&span.parent, 16) {
            return invalid("a parent");
        }
        // Internal and client: a browser serves nobody.
        if ![0, 1, 3].contains(&span.kind) || span.status.code > 2 {
            return invalid("a kind or a status");
        }
        let took = span.end_time_unix_nano.0.checked_sub(span.start_time_unix_nano.0);
        if took.is_none_or(|took| took > LONGEST_SPAN) {
            return invalid("a time");
        }
        span.name = short(&span.name);
        let mut known = BTreeSet::new();
        span.attributes.retain_mut(|attribute| {
            let value = plain(&attribute.value);
            let is_kept = value.is_some()
                && self.attributes.contains(&attribute.key)
                && known.insert(attribute.key.clone());
            attribute.value = value.unwrap_or_default();
            is_kept
        });
        Ok(())
    }
}

/// The whole body, which the limit of all bodies bounds.
async fn collect(core: &Core, body: ClientBody, deadline: Instant) -> Result<Bytes, Problem> {
    let upload = std::sync::Arc::clone(body.upload());
    let collected = tokio::time::timeout_at(deadline.into(), body.collect()).await;
    match (collected, upload.end()) {
        (Ok(Ok(body)), _) => Ok(body.to_bytes()),
        (_, Some(UploadEnd::TooLarge)) => Err(forward::too_large(core)),
        (Err(_), _) => Err(Problem::request_timeout("the body did not arrive in time")),
        _ => Err(Problem::bad_request("the body is malformed or incomplete")),
    }
}

/// So many hexadecimal digits that are not all 0.
fn is_id(text: &str, length: usize) -> bool {
    text.len() == length
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte != b'0')
}

/// The beginning of a text, without control characters.
fn short(text: &str) -> String {
    text.chars()
        .filter(|char| !char.is_control())
        .take(LONGEST_TEXT)
        .collect()
}

/// A value that is a text, a number or a truth; no list and no map.
fn plain(value: &Value) -> Option<Value> {
    let (kind, value) = value
        .as_object()
        .filter(|fields| fields.len() == 1)?
        .iter()
        .next()?;
    let value: Value = match (kind.as_str(), value) {
        ("stringValue", Value::String(text)) => short(text).into(),
        ("intValue", Value::String(text)) => text.parse::<i64>().ok()?.to_string().into(),
        ("intValue", Value::Number(number)) => number.as_i64()?.into(),
        ("doubleValue", Value::Number(number)) => number.as_f64()?.into(),
        ("boolValue", Value::Bool(truth)) => (*truth).into(),
        _ => return None,
    };
    Some(serde_json::json!({ kind: value }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules() -> BrowserSpans {
        let rules = "{service: storefront, max: 3, attributes: [url.template, http.response.status_code]}";
        BrowserSpans::new(&serde_saphyr::from_str(rules).unwrap())
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
    fn only_what_the_rules_name_is_handed_on() {
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
    fn other_services_too_many_spans_and_nonsense_are_refused() {
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
    fn texts_are_cut_and_structures_dropped() {
        let mut sent = span();
        sent["name"] = format!("a\u{1b}[31m{}", "x".repeat(5000)).into();
        sent["attributes"] = json!([{"key": "url.template", "value": {"arrayValue": {"values": []}}}]);
        let cleaned = clean(&export("storefront", &[sent])).unwrap();
        let kept = &cleaned["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        let name = kept["name"].as_str().unwrap();
        assert_eq!(name.len(), LONGEST_TEXT);
        assert!(name.starts_with("a[31mx"), "{name}");
        assert_eq!(kept["attributes"], json!([]));
    }
}
