//! The messages between the gateway and a plugin, as JSON.

use std::{collections::BTreeMap, net::IpAddr};

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::call::Failure;
use crate::message::{ResponseBody, headers::is_reserved};

/// The message that describes a request to a plugin.
#[derive(Debug, Serialize)]
pub(super) struct RequestMessage<'a> {
    pub(super) route: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) client: IpAddr,
    pub(super) user: Option<&'a str>,
    pub(super) roles: &'a [String],
    pub(super) headers: Fields<'a>,
    pub(super) config: &'a RawValue,
}

/// The message that describes a response to a plugin.
#[derive(Debug, Serialize)]
pub(super) struct ResponseMessage<'a> {
    pub(super) status: u16,
    pub(super) headers: Fields<'a>,
    /// The `state` of the reply to the request.
    pub(super) state: Option<&'a str>,
    pub(super) config: &'a RawValue,
}

/// Header fields as a list of names and values. Bytes that are not UTF-8 are replaced.
#[derive(Debug)]
pub(super) struct Fields<'a>(pub(super) &'a HeaderMap);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |value: &'_ HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        serializer.collect_seq(self.0.iter().map(|(name, value)| (name.as_str(), text(value))))
    }
}

/// A plugin's reply to the message about a request. An empty reply lets the request pass unchanged.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestReply {
    #[serde(default)]
    pub(super) remove: Vec<String>,
    #[serde(default)]
    pub(super) set: BTreeMap<String, String>,
    /// A text that the plugin gets again with the response.
    #[serde(default)]
    pub(super) state: Option<String>,
    /// A response to the client instead of forwarding the request.
    #[serde(default)]
    pub(super) respond: Option<LocalResponse>,
}

/// A plugin's reply to the message about a response.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResponseReply {
    #[serde(default)]
    pub(super) remove: Vec<String>,
    #[serde(default)]
    pub(super) set: BTreeMap<String, String>,
}

/// A response of the plugin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalResponse {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

/// Removes and then sets header fields. `claims` are fields that a plugin cannot change, besides those of the gateway
/// itself.
pub(super) fn change(
    headers: &mut HeaderMap,
    remove: &[String],
    set: &BTreeMap<String, String>,
    claims: &[HeaderName],
) -> Result<(), Failure> {
    for name in remove {
        headers.remove(changeable(name, claims)?);
    }
    self::set(headers, set, claims)
}

impl LocalResponse {
    /// The response. A body without `content-type` is a text.
    pub(super) fn into_response(self, claims: &[HeaderName]) -> Result<Response<ResponseBody>, Failure> {
        let status = StatusCode::from_u16(self.status).ok();
        let status = status.filter(|status| (200..=599).contains(&status.as_u16()));
        let status = status.ok_or_else(|| Failure::reply("the status must be from 200 to 599"))?;
        let has_body = !self.body.is_empty();
        let mut response = Response::new(ResponseBody::full(self.body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if has_body {
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            headers.insert(header::CONTENT_TYPE, text);
        }
        set(headers, &self.headers, claims)?;
        Ok(response)
    }
}

fn set(
    headers: &mut HeaderMap,
    fields: &BTreeMap<String, String>,
    claims: &[HeaderName],
) -> Result<(), Failure> {
    for (name, value) in fields {
        let invalid = || Failure::Reply(format!("the value of the header field `{name}` is not valid"));
        let value = HeaderValue::try_from(value).map_err(|_| invalid())?;
        headers.insert(changeable(name, claims)?, value);
    }
    Ok(())
}

/// The name of a header field that a plugin may change.
fn changeable(name: &str, claims: &[HeaderName]) -> Result<HeaderName, Failure> {
    let parsed: HeaderName = name
        .parse()
        .map_err(|_| Failure::Reply(format!("`{name}` is not a valid name of a header field")))?;
    let spelling = parsed.as_str().replace('_', "-");
    if is_reserved(&parsed) || claims.iter().any(|claim| claim.as_str() == spelling) {
        let message = format!("the gateway sets or removes `{name}` itself, so a plugin cannot change it");
        return Err(Failure::Reply(message));
    }
    Ok(parsed)
}
