//! The stored responses. The least used ones are removed to make room for new ones.

use std::sync::Arc;

use http::{header, request::Parts};
use http_cache_semantics::BeforeRequest;
use quick_cache::{Weighter, sync::Cache};

use super::{super::Chosen, Entry, MAX_BODY, Seen};

/// Maximum number of responses to the same request, which differ in the fields that `Vary` names.
const MAX_VARIANTS: usize = 16;

/// The key under which a response is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The route and the chosen upstream, if any, since the same path may lead to different upstreams.
    route: Arc<str>,
    /// Scheme and host, as the client sent them.
    origin: String,
    /// Path and query of the request.
    pub(super) path: String,
}

impl Key {
    pub(super) fn new(route: &str, request: &Parts) -> Self {
        let text = |name: &str| {
            let value = request.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_ascii_lowercase()
        };
        let host = request
            .uri
            .authority()
            .map(|host| host.as_str().to_ascii_lowercase());
        let host = host.unwrap_or_else(|| text(header::HOST.as_str()));
        let path = request.uri.path_and_query();
        let chosen = request.extensions.get::<Chosen>();
        Self {
            route: chosen.map_or_else(
                || route.into(),
                |chosen| format!("{route} {}", chosen.name).into(),
            ),
            origin: format!("{}://{host}", text("x-forwarded-proto")),
            path: path.map_or("/", |path| path.as_str()).to_owned(),
        }
    }

    /// Identifies the resource, regardless of the route that leads to it.
    fn resource(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }
}

/// Responses of one resource, with the route that each belongs to.
type Variants = Arc<Vec<(Arc<str>, Entry)>>;

/// The stored responses, whose size is limited.
#[derive(Debug)]
pub(super) struct Store(Cache<String, Variants, Size>);

#[derive(Debug, Clone)]
struct Size;

impl Weighter<String, Variants> for Size {
    fn weight(&self, key: &String, variants: &Variants) -> u64 {
        let sizes = variants.iter().map(|(_, entry)| entry.size());
        (key.len() + sizes.sum::<usize>()) as u64
    }
}

impl Store {
    /// An empty store of at most `max` bytes.
    pub(super) fn new(max: usize) -> Self {
        // Few parts, so that each can hold large responses.
        let parts = max / (8 * MAX_BODY);
        Self(Cache::with_weighter(32 * parts.clamp(1, 8), max as u64, Size))
    }

    /// Finds a stored response to a request. `judge` says whether it may be used without revalidation; `None` means
    /// that it belongs to another request.
    pub(super) fn find(&self, key: &Key, judge: impl Fn(&Entry) -> Option<bool>) -> Option<(Entry, bool)> {
        let variants = self.0.get(&key.resource())?;
        let mut own = variants.iter().filter(|(route, _)| *route == key.route);
        own.find_map(|(_, entry)| Some((entry.clone(), judge(entry)?)))
    }

    /// Stores a response, and removes those that it replaces.
    pub(super) fn insert(&self, key: &Key, seen: Seen<'_>, entry: Entry) {
        let resource = key.resource();
        let now = std::time::SystemTime::now();
        let is_replaced = |(route, old): &&(Arc<str>, Entry)| {
            *route == key.route
                && match old.policy.before_request(&seen, now) {
                    BeforeRequest::Fresh(_) => true,
                    BeforeRequest::Stale { matches, .. } => matches,
                }
        };
        let mut size = entry.size();
        let mut variants = vec![(Arc::clone(&key.route), entry)];
        let old = self.0.get(&resource).unwrap_or_default();
        for old in old.iter().filter(|old| !is_replaced(old)).take(MAX_VARIANTS - 1) {
            size += old.1.size();
            if size > 2 * MAX_BODY {
                break;
            }
            variants.push(old.clone());
        }
        self.0.insert(resource, Arc::new(variants));
    }

    /// Removes all responses of a resource, because a request has changed it.
    pub(super) fn remove(&self, key: &Key) {
        self.0.remove(&key.resource());
    }
}
