//! Links that change requests and responses.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Bytes, Name};

/// Changes of the header fields. Fields that belong to one connection, that state who the client is, or that the gateway
/// sets itself cannot be changed.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderRules {
    /// Changes of the request, before it is forwarded. Absent: none.
    #[serde(default)]
    pub request: HeaderChanges,
    /// Changes of the response, before it is sent to the client. Absent: none.
    #[serde(default)]
    pub response: HeaderChanges,
}

/// Changes of the header fields of one message: first `remove`, then `set`, then `add`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HeaderChanges {
    /// Fields that get this value instead of their previous ones. Absent: none.
    pub set: BTreeMap<String, Name>,
    /// Fields that get this value in addition to their previous ones. Absent: none.
    pub add: BTreeMap<String, Name>,
    /// Names of fields that are removed. Absent: none.
    pub remove: Vec<Name>,
}

/// Changes the path of the request. The query is unchanged. Either `path`, or one or both of the others.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// A prefix such as `/api`, which is removed from paths that begin with it. Other paths are unchanged. Absent: none.
    #[serde(default)]
    pub strip_prefix: Option<Name>,
    /// A prefix such as `/v2`, which is added to the path, after `strip_prefix`. Absent: none.
    #[serde(default)]
    pub add_prefix: Option<Name>,
    /// The new path. It may contain the parameters of the route's path, as in `/v2/items/{id}`. Absent: none.
    #[serde(default)]
    pub path: Option<Name>,
}

/// Compresses responses with zstd, Brotli or gzip, whichever the client prefers; if it has no preference, in this order.
/// Not compressed are responses that already are, parts of a content (206), and those with `no-transform`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Compress {
    /// Smaller responses are not compressed, if their size is known. Default: 1 KiB.
    pub min: Bytes,
    /// Content types that are compressed, such as `application/json`, or `text/*` for all texts. Default: texts, JSON,
    /// JavaScript, XML, SVG and WebAssembly.
    pub types: Vec<Name>,
}

impl Default for Compress {
    fn default() -> Self {
        let types = [
            "text/*",
            "application/json",
            "application/problem+json",
            "application/javascript",
            "application/xml",
            "application/wasm",
            "image/svg+xml",
        ];
        let name = |value: &str| Name {
            value: value.to_owned(),
            line: 0,
            column: 0,
        };
        Self {
            min: Bytes(1 << 10),
            types: types.map(name).into(),
        }
    }
}
