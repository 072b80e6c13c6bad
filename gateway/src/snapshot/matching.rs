//! What a route requires of a request besides its path and method: a host, header fields and query parameters.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use crate::config::{ConfigError, Match, Scheme};

/// The parts of a request that determine its route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) method: &'a http::Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) is_https: bool,
}

impl Wanted<'_> {
    /// The host that the client asked for, in lower case and without its port. Empty if there is none.
    pub(super) fn host(&self) -> String {
        let authority = self.uri.authority().map(http::uri::Authority::as_str);
        let host = authority.or_else(|| self.headers.get(header::HOST)?.to_str().ok());
        let host = host.unwrap_or_default();
        let end = host.rfind(':').filter(|at| !host[*at..].contains(']'));
        let host = &host[..end.unwrap_or(host.len())];
        host.trim_end_matches('.').to_ascii_lowercase()
    }
}

/// The hosts that a route serves. Patterns are tried in this order: a host name, then the longest suffix, then any host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Host {
    /// The host with exactly this name.
    Exact(String),
    /// Every name that ends with this suffix, which begins with a dot; the number makes longer ones come first.
    Below(std::cmp::Reverse<usize>, String),
    /// Every host, also requests without one.
    Any,
}

impl Host {
    /// The patterns of a route.
    pub(super) fn of(matches: &Match) -> Result<Vec<Self>, ConfigError> {
        if matches.hosts.is_empty() {
            return Ok(vec![Self::Any]);
        }
        let parse = |text: &crate::config::Name| {
            let name = text.value.to_ascii_lowercase();
            let (is_suffix, rest) = match name.strip_prefix("*.") {
                Some(rest) => (true, rest),
                None => (false, name.as_str()),
            };
            let is_valid = rest.split('.').all(|label| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
            if !is_valid {
                return Err(ConfigError::on(
                    text,
                    "a host is a name such as `shop.example`, or `*.shop.example`, without a port",
                ));
            }
            Ok(if is_suffix {
                Self::Below(std::cmp::Reverse(rest.len()), format!(".{rest}"))
            } else {
                Self::Exact(name)
            })
        };
        matches.hosts.iter().map(parse).collect()
    }

    /// Whether the pattern matches a host.
    pub(super) fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Below(_, suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
            Self::Any => true,
        }
    }
}

/// Values that a route requires, as in the file; `*` stands for any value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    scheme: Option<Scheme>,
    headers: Vec<(HeaderName, Option<HeaderValue>)>,
    query: Vec<(String, Option<String>)>,
}

impl Conditions {
    /// Compiles the conditions of a route.
    pub(super) fn new(matches: &Match) -> Result<Self, ConfigError> {
        let header = |(name, value): (&String, &String)| {
            let value = (value != "*").then(|| value.parse()).transpose().ok()?;
            Some((name.parse().ok()?, value))
        };
        let headers: Option<Vec<_>> = matches.headers.iter().map(header).collect();
        let headers = headers
            .ok_or_else(|| ConfigError::on(&matches.path, "`headers` has an invalid header name or value"))?;
        let query = matches
            .query
            .iter()
            .map(|(name, value)| (name.clone(), (value != "*").then(|| value.clone())))
            .collect();
        Ok(Self {
            scheme: matches.scheme,
            headers,
            query,
        })
    }

    /// Number of conditions: a route with more of them is tried first.
    pub(super) fn count(&self) -> usize {
        usize::from(self.scheme.is_some()) + self.headers.len() + self.query.len()
    }

    /// Whether a request meets all conditions.
    pub(super) fn hold(&self, wanted: Wanted<'_>) -> bool {
        let header = |(name, value): &(HeaderName, Option<HeaderValue>)| {
            let mut found = wanted.headers.get_all(name).iter();
            found.any(|one| value.as_ref().is_none_or(|value| value == one))
        };
        let query = |(name, value): &(String, Option<String>)| {
            parameters(wanted.uri).any(|(key, found)| {
                key == name.as_str() && value.as_ref().is_none_or(|value| found == value.as_str())
            })
        };
        let scheme = if wanted.is_https {
            Scheme::Https
        } else {
            Scheme::Http
        };
        self.scheme.is_none_or(|one| one == scheme)
            && self.headers.iter().all(header)
            && self.query.iter().all(query)
    }
}

/// The query parameters of a URL, decoded.
fn parameters(uri: &Uri) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}
