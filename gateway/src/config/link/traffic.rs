//! Links that decide what happens to a part of the requests.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::{
    super::{Name, Placed, Portion, Span},
    RateBy,
};

/// Delays or fails a random part of the requests. At least one of `delay` and `abort` is needed.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The part of the requests that are delayed or fail.
    pub share: Placed<Portion>,
    /// How long they are delayed, at most until the deadline of the route. Absent: not at all.
    #[serde(default)]
    pub delay: Option<Span>,
    /// The status from 400 to 599 with which they fail, after the delay. Absent: they are handled as usual.
    #[serde(default)]
    pub abort: Option<Placed<u16>>,
}

/// Sends copies of requests to another upstream and discards its answers. Requests with bodies over 64 KiB are not copied,
/// nor are more than 64 at the same time. The copy is of the request as it is at this place of the chain.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// Name of the upstream that gets the copies.
    pub to: Name,
    /// The part of the requests that are copied. Default: 100%.
    #[serde(default = "Mirror::default_share")]
    pub share: Portion,
}

impl Mirror {
    fn default_share() -> Portion {
        Portion::ALL
    }
}

/// Forwards the requests of clients that ask for it to another upstream than that of the route, or that a `split` has
/// chosen. Needs either `header` or `cookie`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// Name of the other upstream.
    pub to: Name,
    /// Name of a header field, with any value, by which a client asks for it. Absent: `cookie` is needed.
    #[serde(default)]
    pub header: Option<Name>,
    /// Name of a cookie, with any value, by which a client asks for it. Absent: `header` is needed.
    #[serde(default)]
    pub cookie: Option<Name>,
}

/// Distributes requests over several upstreams instead of that of the route, for example
/// `{orders: 90, orders_v2: 10, by: user}`: the names of the upstreams with their weights.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
pub struct Split {
    /// By what a client always reaches the same upstream, as long as the weights stay the same. Absent: each request is
    /// distributed at random.
    pub by: Option<RateBy>,
    /// Names of the upstreams with their weights.
    #[schemars(flatten)]
    pub weights: BTreeMap<String, Placed<u32>>,
}

impl<'de> Deserialize<'de> for Split {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SplitVisitor)
    }
}

/// Reads a [`Split`]. Deriving it would lose the positions of the weights.
struct SplitVisitor;

impl<'de> Visitor<'de> for SplitVisitor {
    type Value = Split;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names of upstreams with their weights, and `by`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Split, A::Error> {
        let (mut by, mut weights) = (None, BTreeMap::new());
        while let Some(key) = map.next_key::<String>()? {
            if key == "by" {
                by = Some(map.next_value()?);
            } else {
                weights.insert(key, map.next_value()?);
            }
        }
        Ok(Split { by, weights })
    }
}
