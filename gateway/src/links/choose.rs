//! Chooses another upstream than that of the route: for clients that ask for it (`canary`), or for a part of the clients
//! (`split`). A canary takes precedence over a split.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

use super::{RequestContext, headers::check_name};
use crate::config::{self, Config, ConfigError, RateBy, Route};

/// The upstream that a link has chosen; an extension of the request.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Index of the upstream.
    pub upstream: usize,
    /// Name of the upstream.
    pub name: Arc<str>,
}

/// Leads the requests of some clients to another upstream.
#[derive(Debug)]
pub struct Canary {
    chosen: Chosen,
    sign: Sign,
}

/// How a client asks for the other upstream.
#[derive(Debug)]
enum Sign {
    Header(HeaderName),
    Cookie(String),
}

/// Distributes the requests over several upstreams.
#[derive(Debug)]
pub struct Split {
    /// The upstreams, each with the sum of its weight and those before it.
    upstreams: Vec<(u64, Chosen)>,
    by: Option<RateBy>,
}

/// The names of the upstreams that the links of a route may choose.
pub(crate) fn alternatives<'a>(config: &'a Config, route: &'a Route) -> Vec<&'a str> {
    let mut names = vec![];
    for link in config.links(route) {
        match link {
            config::Link::Canary(rules) => names.push(rules.to.value.as_str()),
            config::Link::Split(rules) => names.extend(rules.weights.keys().map(String::as_str)),
            _ => {}
        }
    }
    names
}

/// Checks that the route of a link that chooses an upstream forwards its requests, and that all upstreams speak the same
/// protocol.
pub(super) fn check_route(config: &Config, route: &Route) -> Result<(), ConfigError> {
    let Some(to) = (route.to.as_ref()).filter(|_| route.grpc.is_none() && route.browser_spans.is_none())
    else {
        let message =
            "the policies of the route contain `canary` or `split`, which need a route that only has `to`";
        return Err(ConfigError::on(&route.matches.path, message));
    };
    let own = config.upstreams.get(&to.value);
    let protocol = own.map(|upstream| upstream.protocol).unwrap_or_default();
    for link in config.links(route) {
        match link {
            config::Link::Canary(rules) => config.upstream(&rules.to, protocol)?,
            config::Link::Split(rules) => {
                for (name, weight) in &rules.weights {
                    config.upstream(&placed(name, weight), protocol)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks that the upstream exists; [`check_route`] checks its protocol.
fn check_exists(config: &Config, name: &config::Name) -> Result<(), ConfigError> {
    let known = config.upstreams.get(&name.value);
    config.upstream(name, known.map(|upstream| upstream.protocol).unwrap_or_default())
}

/// The name of an upstream at the position of its weight.
fn placed(name: &str, weight: &config::Placed<u32>) -> config::Name {
    config::Name {
        value: name.to_owned(),
        line: weight.line,
        column: weight.column,
    }
}

impl Canary {
    /// Checks that the upstream exists, and that there is one sign with a valid name.
    pub(crate) fn check(config: &Config, rules: &config::Canary) -> Result<(), ConfigError> {
        check_exists(config, &rules.to)?;
        match (&rules.header, &rules.cookie) {
            (Some(header), None) => check_name(header),
            (None, Some(cookie)) if HeaderName::try_from(&cookie.value).is_err() => {
                let message = format!("`{}` is not a valid name of a cookie", cookie.value);
                Err(ConfigError::on(cookie, message))
            }
            (None, Some(_)) => Ok(()),
            _ => Err(ConfigError::on(
                &rules.to,
                "a canary needs either `header` or `cookie`",
            )),
        }
    }

    /// Creates the link from a checked configuration; `None` if it has no sign.
    #[must_use]
    pub fn new(rules: &config::Canary, upstream: usize) -> Option<Self> {
        let header = rules.header.as_ref().and_then(|name| name.value.parse().ok());
        let cookie = rules.cookie.as_ref().map(|name| name.value.clone());
        Some(Self {
            chosen: Chosen {
                upstream,
                name: rules.to.value.as_str().into(),
            },
            sign: header.map(Sign::Header).or(cookie.map(Sign::Cookie))?,
        })
    }

    /// Chooses the other upstream if the client asks for it.
    pub fn pass(&self, context: &mut RequestContext<'_>, request: &mut Parts) {
        let (field, is_asked) = match &self.sign {
            Sign::Header(name) => (name, request.headers.contains_key(name)),
            Sign::Cookie(name) => (&header::COOKIE, has_cookie(&request.headers, name)),
        };
        context
            .response_headers
            .append(header::VARY, HeaderValue::from(field.clone()));
        if is_asked {
            request.extensions.insert(self.chosen.clone());
        }
    }
}

fn has_cookie(headers: &HeaderMap, name: &str) -> bool {
    let values = headers.get_all(header::COOKIE).iter();
    let mut cookies = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    cookies.any(|cookie| cookie.split('=').next().is_some_and(|own| own.trim() == name))
}

impl Split {
    /// Checks that the upstreams exist, and that at least one has a weight.
    pub(crate) fn check(config: &Config, rules: &config::Split) -> Result<(), ConfigError> {
        for (name, weight) in &rules.weights {
            check_exists(config, &placed(name, weight))?;
        }
        let is_empty = rules.weights.values().all(|weight| weight.value == 0);
        match rules.weights.values().next() {
            Some(weight) if is_empty => Err(ConfigError::on(weight, "at least one weight must not be 0")),
            _ => Ok(()),
        }
    }

    /// Creates the link from a checked configuration; `index` returns that of an upstream.
    #[must_use]
    pub fn new(rules: &config::Split, index: impl Fn(&str) -> usize) -> Self {
        let mut sum = 0;
        let upstream = |(name, weight): (&String, &config::Placed<u32>)| {
            sum += u64::from(weight.value);
            let chosen = Chosen {
                upstream: index(name),
                name: name.as_str().into(),
            };
            (sum, chosen)
        };
        Self {
            upstreams: rules.weights.iter().map(upstream).collect(),
            by: rules.by,
        }
    }

    /// Chooses one of the upstreams unless a canary has chosen already: at random or, with `by`, always the same for a client.
    pub fn pass(&self, context: &RequestContext<'_>, request: &mut Parts) {
        if request.extensions.get::<Chosen>().is_some() {
            return;
        }
        let number = match self.by {
            None => rand::random(),
            Some(by) => {
                // Without a random key, so that all replicas choose the same.
                let mut hasher = DefaultHasher::new();
                context.client_by(by).hash(&mut hasher);
                hasher.finish()
            }
        };
        let Some(sum) = self.upstreams.last().map(|(sum, _)| *sum).filter(|sum| *sum > 0) else {
            return;
        };
        let number = number % sum;
        if let Some((_, chosen)) = self.upstreams.iter().find(|(sum, _)| number < *sum) {
            request.extensions.insert(chosen.clone());
        }
    }
}
