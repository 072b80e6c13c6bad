//! What must hold between the parts of the file: names that exist, routes that cannot shadow each other, no route
//! without a word about who may use it. Every complaint has a line and a column.

use std::io;

use prost_reflect::DescriptorPool;
use serde_saphyr::Spanned;

use super::{Aggregate, Config, Files, Grpc, Link, Name, Part, Protocol, Route};
use crate::template::Template;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read the file: {0}")]
    Unreadable(io::Error),
    /// Something in it is wrong.
    #[error("line {line}, column {column}: {message}")]
    Wrong {
        /// From 1.
        line: u64,
        /// From 1.
        column: u64,
        /// What, and what is expected.
        message: String,
    },
}

impl ConfigError {
    /// Wrong at a place.
    pub(super) fn at(line: u64, column: u64, message: impl Into<String>) -> Self {
        Self::Wrong {
            line,
            column,
            message: message.into(),
        }
    }

    /// What the parser found.
    pub(super) fn from_yaml(error: &serde_saphyr::Error) -> Self {
        let (line, column) = error
            .location()
            .map_or((1, 1), |place| (place.line(), place.column()));
        // It says the place at its end, too.
        let mut message = error.without_snippet().to_string();
        let place = format!(" at line {line}, column {column}");
        if let Some(short) = message.strip_suffix(&place) {
            message.truncate(short.len());
        }
        Self::at(line, column, message)
    }

    /// Wrong where `spanned` stands.
    pub(crate) fn on<T>(spanned: &Spanned<T>, message: impl Into<String>) -> Self {
        Self::at(spanned.referenced.line(), spanned.referenced.column(), message)
    }
}

/// The methods a route may have. CONNECT and TRACE are never forwarded.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Config {
    /// Checks what the types cannot.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.version.value != 1 {
            return Err(ConfigError::on(&self.version, "this gateway reads version 1"));
        }
        for auth in self.auth.values() {
            if let Some(keys) = &auth.api_keys {
                self.upstream(&keys.to, Protocol::Http)?;
            }
        }
        for link in self.policies.values().flatten() {
            if let Link::Auth(name) | Link::AuthIfGiven(name) = link
                && !self.auth.contains_key(&name.value)
            {
                return Err(ConfigError::on(
                    name,
                    format!("there is no auth named `{}`", name.value),
                ));
            }
        }
        self.routes
            .values()
            .try_for_each(|route| self.check_route(route))?;
        crate::route::Table::check(self)
    }

    fn upstream(&self, name: &Name, protocol: Protocol) -> Result<(), ConfigError> {
        match self.upstreams.get(&name.value) {
            None => Err(ConfigError::on(
                name,
                format!("there is no upstream named `{}`", name.value),
            )),
            Some(upstream) if upstream.protocol != protocol => Err(ConfigError::on(
                name,
                format!(
                    "upstream `{}` speaks {:?}, and {protocol:?} is needed here",
                    name.value, upstream.protocol
                ),
            )),
            Some(_) => Ok(()),
        }
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
        for name in &route.uses {
            if !self.policies.contains_key(&name.value) {
                return Err(ConfigError::on(
                    name,
                    format!("there is no policy named `{}`", name.value),
                ));
            }
        }
        let mut links = route.uses.iter().flat_map(|name| &self.policies[&name.value]);
        if !links.any(|link| matches!(link, Link::Anonymous | Link::Auth(_) | Link::AuthIfGiven(_))) {
            return Err(ConfigError::on(
                path,
                "its policies name neither `auth` nor `anonymous`",
            ));
        }
        let calls_none = route.files.is_some() || route.local.is_some();
        let guards = [
            ("breaker", self.breakers(route).count()),
            ("in_flight", self.in_flight(route).count()),
        ];
        for (link, count) in guards {
            if count > 1 {
                return Err(ConfigError::on(
                    path,
                    format!("its policies name more than one `{link}`"),
                ));
            }
            if count > 0 && calls_none {
                return Err(ConfigError::on(
                    path,
                    format!("its policies name `{link}`, but it calls no upstream"),
                ));
            }
        }
        if route.browser_spans.is_some()
            && (route.to.is_none() || route.grpc.is_some() || route.idle.is_some())
        {
            return Err(ConfigError::on(
                path,
                "`browser_spans` needs `to`, and no `grpc` or `idle`",
            ));
        }
        match (
            &route.to,
            &route.grpc,
            &route.aggregate,
            &route.files,
            route.local,
        ) {
            (Some(to), None, None, None, None) => self.upstream(to, Protocol::Http),
            (Some(to), Some(grpc), None, None, None) => self.check_grpc(to, grpc),
            (None, None, Some(aggregate), None, None) => self.check_aggregate(path, aggregate),
            (None, None, None, Some(files), None) => files.check(path),
            (None, None, None, None, Some(_)) => Ok(()),
            _ => Err(ConfigError::on(
                path,
                "a route has `to`, `to` and `grpc`, `aggregate`, `files`, or `local`",
            )),
        }
    }

    fn check_grpc(&self, to: &Name, grpc: &Grpc) -> Result<(), ConfigError> {
        self.upstream(to, Protocol::Grpc)?;
        let pool = DescriptorPool::decode(contracts::proto::DESCRIPTORS)
            .map_err(|error| ConfigError::on(&grpc.method, error.to_string()))?;
        let known = grpc.method.value.split_once('/').and_then(|(service, method)| {
            let service = pool.get_service_by_name(service)?;
            service.methods().find(|found| found.name() == method)
        });
        known.map(|_| ()).ok_or_else(|| {
            ConfigError::on(
                &grpc.method,
                format!("the contracts have no method `{}`", grpc.method.value),
            )
        })
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
                _ => return Err(ConfigError::on(&part.to, "a part has either `path` or `grpc`")),
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
        crate::aggregate::stages(aggregate)
            .map(|_| ())
            .map_err(|why| ConfigError::on(path, why))
    }
}

impl Files {
    fn check(&self, path: &Name) -> Result<(), ConfigError> {
        let headers = self.headers.iter().find(|(name, value)| {
            name.parse::<http::HeaderName>().is_err() || value.parse::<http::HeaderValue>().is_err()
        });
        if let Some((name, _)) = headers {
            return Err(ConfigError::on(
                path,
                format!("`{name}` is no header, or its value is none"),
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
