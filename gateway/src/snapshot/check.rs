//! Validates what the types of the configuration cannot express: referenced names exist, no two routes match the same
//! request, and every route declares who may use it. Every error has a line and a column.

use std::collections::BTreeSet;

use super::Table;
use crate::{
    actions::{Redirect, Template, grpc, stages},
    config::{
        Acme, Aggregate, Auth, Config, ConfigError, Files, Grpc, Link, Mtls, Name, Part, Protocol, Route,
        Tcp, Upstream,
    },
    links,
};

/// The methods that a route may have. CONNECT and TRACE are never forwarded.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Config {
    /// Validates the whole configuration and returns the first error.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.version.value != 1 {
            return Err(ConfigError::on(
                &self.version,
                "unsupported version; this gateway supports version 1",
            ));
        }
        for auth in self.auth.values() {
            check_jwks(auth)?;
            if let Some(keys) = &auth.api_keys {
                self.upstream(&keys.to, Protocol::Http)?;
            }
        }
        for (name, listener) in &self.listeners {
            if let Some(tcp) = &listener.tcp {
                self.check_tcp(name, tcp, listener.tls.is_some())?;
            }
            if let Some(tls) = &listener.tls {
                tls.check().map_err(|problem| {
                    ConfigError::on(&self.version, format!("listener `{name}`: {problem}"))
                })?;
                tls.acme.as_ref().map_or(Ok(()), Acme::check)?;
            }
        }
        links::check(self)?;
        self.upstreams.values().try_for_each(check_health)?;
        self.upstreams
            .values()
            .filter_map(|upstream| upstream.mtls.as_ref())
            .try_for_each(Mtls::check)?;
        for (name, upstream) in &self.upstreams {
            if (upstream.adaptive.as_ref()).is_some_and(|adaptive| adaptive.min > adaptive.max) {
                return Err(ConfigError::on(
                    &self.version,
                    format!("upstream `{name}`: `min` of `adaptive` is more than `max`"),
                ));
            }
        }
        if let Some(rules) = &self.docker_routes {
            self.check_policies(&rules.uses)?;
        }
        self.routes
            .values()
            .try_for_each(|route| self.check_route(route))?;
        Table::check(self)
    }

    /// Checks a listener that passes TCP connections through.
    fn check_tcp(&self, listener: &str, tcp: &Tcp, has_tls: bool) -> Result<(), ConfigError> {
        let mut hosts = BTreeSet::new();
        for rule in &tcp.sni {
            for host in &rule.hosts {
                let name = host.value.strip_prefix("*.").unwrap_or(&host.value);
                if name.is_empty() || name.contains(['*', ':', '/', ' ']) {
                    let message = format!("`{}` is not `name.example` or `*.name.example`", host.value);
                    return Err(ConfigError::on(host, message));
                }
                if !hosts.insert(host.value.to_ascii_lowercase()) {
                    return Err(ConfigError::on(host, format!("`{}` is listed twice", host.value)));
                }
            }
        }
        let mut upstreams = tcp.to.iter().chain(tcp.sni.iter().map(|rule| &rule.to));
        if let Some(unknown) = upstreams
            .clone()
            .find(|to| !self.upstreams.contains_key(&to.value))
        {
            let message = format!("there is no upstream named `{}`", unknown.value);
            return Err(ConfigError::on(unknown, message));
        }
        let Some(first) = upstreams.next() else {
            let message = format!("`tcp` of the listener `{listener}` needs `to` or `sni`");
            return Err(ConfigError::on(&self.version, message));
        };
        if has_tls {
            let message = "a listener with `tcp` passes TLS through, which excludes `tls`";
            return Err(ConfigError::on(first, message));
        }
        Ok(())
    }

    /// Checks that these policies exist.
    fn check_policies(&self, names: &[Name]) -> Result<(), ConfigError> {
        let unknown = names.iter().find(|name| !self.policies.contains_key(&name.value));
        unknown.map_or(Ok(()), |name| {
            let message = format!("there is no policy named `{}`", name.value);
            Err(ConfigError::on(name, message))
        })
    }

    fn check_route(&self, route: &Route) -> Result<(), ConfigError> {
        let path = &route.matches.path;
        if let Some(method) = route
            .matches
            .methods
            .iter()
            .find(|method| !METHODS.contains(&method.as_str()))
        {
            return Err(ConfigError::on(
                path,
                format!("`{method}` is not one of {}", METHODS.join(", ")),
            ));
        }
        self.check_policies(&route.uses)?;
        let mut links = route.uses.iter().flat_map(|name| &self.policies[&name.value]);
        if !links.any(|link| matches!(link, Link::Anonymous) || links::authenticates(link)) {
            return Err(ConfigError::on(
                path,
                "the policies of the route contain neither `anonymous` nor a link that authenticates clients",
            ));
        }
        links::check_route(self, route)?;
        let calls_none = route.to.is_none() && route.aggregate.is_none();
        let guards = [
            ("breaker", self.breakers(route).count()),
            ("in_flight", self.in_flight(route).count()),
            ("retry", self.retries(route).count()),
            ("hedge", self.hedges(route).count()),
        ];
        for (link, count) in guards {
            if count > 1 {
                return Err(ConfigError::on(
                    path,
                    format!("the policies of the route contain more than one `{link}`"),
                ));
            }
            if count > 0 && calls_none {
                return Err(ConfigError::on(
                    path,
                    format!("the policies of the route contain `{link}`, but the route calls no upstream"),
                ));
            }
        }
        if route.websocket.is_some() && (route.to.is_none() || route.grpc.is_some()) {
            return Err(ConfigError::on(
                path,
                "`websocket` requires `to` and excludes `grpc`",
            ));
        }
        if route.browser_spans.is_some()
            && (route.to.is_none() || route.grpc.is_some() || route.idle.is_some())
        {
            return Err(ConfigError::on(
                path,
                "`browser_spans` requires `to` and excludes `grpc` and `idle`",
            ));
        }
        let actions = [
            route.to.is_some(),
            route.aggregate.is_some(),
            route.files.is_some(),
            route.redirect.is_some(),
            route.local.is_some(),
        ];
        let is_one = actions.iter().filter(|is_set| **is_set).count() == 1;
        if !is_one || (route.grpc.is_some() && route.to.is_none()) {
            return Err(ConfigError::on(
                path,
                "a route needs exactly one of `to`, `to` with `grpc`, `aggregate`, `files`, `redirect` and `local`",
            ));
        }
        if let Some(aggregate) = &route.aggregate {
            self.check_aggregate(path, aggregate)?;
        }
        if let Some(files) = &route.files {
            files.check(path)?;
        }
        if let Some(redirect) = &route.redirect {
            Redirect::new(redirect).map_err(|why| ConfigError::on(&redirect.to, why))?;
        }
        match (&route.to, &route.grpc) {
            (Some(to), Some(grpc)) => self.check_grpc(to, grpc),
            (Some(to), None) if self.passes_grpc(route) => self.check_calls(route, to),
            (Some(to), None) => self.upstream(to, Protocol::Http),
            (None, _) => Ok(()),
        }
    }

    /// Checks a route that passes gRPC calls through.
    fn check_calls(&self, route: &Route, to: &Name) -> Result<(), ConfigError> {
        let path = &route.matches.path;
        if route.matches.methods != ["POST"] {
            return Err(ConfigError::on(
                path,
                format!(
                    "`{}` speaks gRPC, whose calls are all POST requests: `methods` must be [POST]",
                    to.value
                ),
            ));
        }
        if route.websocket.is_some() || route.browser_spans.is_some() || route.best_effort {
            return Err(ConfigError::on(
                path,
                format!(
                    "`{}` speaks gRPC, which excludes `websocket`, `browser_spans` and `best_effort`",
                    to.value
                ),
            ));
        }
        let excluded = self.links(route).find_map(|link| match link {
            Link::Retry(_) => Some("retry"),
            Link::Hedge(_) => Some("hedge"),
            Link::Cache(_) => Some("cache"),
            Link::Mirror(_) => Some("mirror"),
            _ => None,
        });
        match excluded {
            Some(link) => Err(ConfigError::on(
                path,
                format!(
                    "the policies of the route contain `{link}`, but gRPC calls are passed through without being copied or kept"
                ),
            )),
            None => Ok(()),
        }
    }

    fn check_grpc(&self, to: &Name, grpc: &Grpc) -> Result<(), ConfigError> {
        self.upstream(to, Protocol::Grpc)?;
        grpc::method(&grpc.method.value)
            .map(drop)
            .map_err(|error| ConfigError::on(&grpc.method, error.to_string()))
    }

    fn check_aggregate(&self, path: &Name, aggregate: &Aggregate) -> Result<(), ConfigError> {
        for part in aggregate.parts.values() {
            match part {
                Part {
                    path: Some(text),
                    grpc: None,
                    ..
                } => {
                    self.upstream(&part.to, Protocol::Http)?;
                    let template = Template::parse(text).map_err(|why| ConfigError::on(&part.to, why))?;
                    for name in template.parts() {
                        if !aggregate.parts.contains_key(name) {
                            return Err(ConfigError::on(
                                &part.to,
                                format!("there is no part named `{name}`"),
                            ));
                        }
                    }
                }
                Part {
                    path: None,
                    grpc: Some(grpc),
                    ..
                } => self.check_grpc(&part.to, grpc)?,
                _ => return Err(ConfigError::on(&part.to, "a part needs either `path` or `grpc`")),
            }
        }
        let named = aggregate
            .merge
            .iter()
            .chain(aggregate.join.iter().map(|join| &join.part));
        for name in named {
            if !aggregate.parts.contains_key(&name.value) {
                return Err(ConfigError::on(
                    name,
                    format!("there is no part named `{}`", name.value),
                ));
            }
        }
        stages(aggregate)
            .map(|_| ())
            .map_err(|why| ConfigError::on(path, why))
    }
}

/// Checks that the path of health checks can be requested.
fn check_health(upstream: &Upstream) -> Result<(), ConfigError> {
    match upstream.health.as_ref().and_then(|health| health.path.as_ref()) {
        Some(path) if upstream.protocol == Protocol::Grpc => Err(ConfigError::on(
            path,
            "an upstream that speaks gRPC has health checks without `path`, which only connect",
        )),
        Some(path) if !path.value.starts_with('/') || path.value.parse::<http::Uri>().is_err() => {
            Err(ConfigError::on(path, format!("`{}` is not a path", path.value)))
        }
        _ => Ok(()),
    }
}

/// Checks the mutual TLS with which the keys of an issuer are fetched.
fn check_jwks(auth: &Auth) -> Result<(), ConfigError> {
    let Some(mtls) = &auth.mtls else {
        return Ok(());
    };
    mtls.check()?;
    if mtls.is_on() && !auth.jwks.starts_with("https://") {
        return Err(ConfigError::on(
            &mtls.san,
            "`mtls` is set, so the URL in `jwks` must begin with `https://`",
        ));
    }
    Ok(())
}

impl Files {
    fn check(&self, path: &Name) -> Result<(), ConfigError> {
        let headers = self.headers.iter().find(|(name, value)| {
            name.parse::<http::HeaderName>().is_err() || value.parse::<http::HeaderValue>().is_err()
        });
        if let Some((name, _)) = headers {
            return Err(ConfigError::on(
                path,
                format!("`{name}` is not a valid header name, or its value is invalid"),
            ));
        }
        let prefixes = self.never.iter().chain(&self.immutable);
        if let Some(prefix) = prefixes.into_iter().find(|prefix| !prefix.starts_with('/')) {
            return Err(ConfigError::on(
                path,
                format!("`{prefix}` does not begin with a slash"),
            ));
        }
        Ok(())
    }
}
