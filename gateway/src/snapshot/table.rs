//! Finds the route of a request: first by host, then by path, then by method, and then by header fields and query
//! parameters.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};

use anyhow::Context as _;
use http::{HeaderValue, Method};
use matchit::Router;

use super::matching::{Conditions, Host, Wanted};
use crate::{
    actions::Action,
    config::{Config, ConfigError},
    links::Link,
    report::Traffic,
};

/// A route with its chain and its action, compiled from the configuration.
#[derive(Debug)]
pub(crate) struct CompiledRoute {
    pub(crate) name: String,
    /// The path pattern as written in the file.
    pub(crate) path: String,
    pub(crate) links: Vec<Link>,
    pub(crate) action: Action,
    /// Time from the start of a request until its response must have ended, or for a stream, must have begun.
    pub(crate) deadline: Duration,
    /// Recent requests. A reload keeps those of a route with the same name.
    pub(crate) traffic: Arc<Traffic>,
}

/// The routing table: finds the route of a request.
#[derive(Debug)]
pub(crate) struct Table {
    /// The paths of each host pattern, in the order in which they are tried.
    hosts: Vec<(Host, Router<Entry>)>,
    routes: Vec<CompiledRoute>,
}

/// The routes of one path.
#[derive(Debug, Default)]
struct Entry {
    /// The routes of each method; those with more conditions come first.
    candidates: Vec<Candidate>,
}

#[derive(Debug)]
struct Candidate {
    method: Method,
    conditions: Conditions,
    /// Index of the route.
    number: usize,
}

/// The result of a lookup in the routing table.
pub(crate) enum Lookup<'a> {
    /// The route, and the parameters of its path.
    Route(&'a CompiledRoute, Vec<(String, String)>),
    /// The path exists, but not with this method. The value is for the `Allow` header.
    MethodNotAllowed(HeaderValue),
    NotFound,
}

/// Routes by host pattern and path.
type Paths = BTreeMap<Host, BTreeMap<String, Entry>>;

/// Groups the routes by host pattern and path. Fails if a path is invalid or two routes match the same requests.
fn paths(config: &Config) -> Result<Paths, ConfigError> {
    let mut paths = Paths::new();
    let mut routers: BTreeMap<Host, Router<()>> = BTreeMap::new();
    for (number, route) in config.routes.values().enumerate() {
        let path = &route.matches.path;
        for host in Host::of(&route.matches)? {
            let known = paths.entry(host.clone()).or_default();
            if !known.contains_key(&path.value) {
                let inserted = routers.entry(host).or_default().insert(path.value.clone(), ());
                inserted.map_err(|error| ConfigError::on(path, error.to_string()))?;
            }
            let candidates = &mut known.entry(path.value.clone()).or_default().candidates;
            for method in &route.matches.methods {
                let new = Candidate {
                    method: Method::from_bytes(method.as_bytes())
                        .map_err(|error| ConfigError::on(path, error.to_string()))?,
                    conditions: Conditions::new(&route.matches)?,
                    number,
                };
                if candidates
                    .iter()
                    .any(|one| one.method == new.method && one.conditions == new.conditions)
                {
                    return Err(ConfigError::on(
                        path,
                        format!("another route already has {method} for this path"),
                    ));
                }
                candidates.push(new);
            }
        }
    }
    // GET includes HEAD, unless there is a route for HEAD itself.
    for entry in paths.values_mut().flat_map(BTreeMap::values_mut) {
        let candidates = std::mem::take(&mut entry.candidates);
        let heads: Vec<Conditions> = candidates
            .iter()
            .filter(|one| one.method == Method::HEAD)
            .map(|one| one.conditions.clone())
            .collect();
        for one in candidates {
            let head = (one.method == Method::GET && !heads.contains(&one.conditions)).then(|| Candidate {
                method: Method::HEAD,
                conditions: one.conditions.clone(),
                number: one.number,
            });
            entry.candidates.push(one);
            entry.candidates.extend(head);
        }
        // The sort is stable, so routes with as many conditions stay in the order of their names.
        entry
            .candidates
            .sort_by_key(|one| std::cmp::Reverse(one.conditions.count()));
    }
    Ok(paths)
}

impl Table {
    /// Checks that paths are valid and that no two routes match the same request.
    pub(crate) fn check(config: &Config) -> Result<(), ConfigError> {
        paths(config).map(drop)
    }

    /// Builds the table. `routes` must be in the order of `config.routes`.
    pub(crate) fn new(config: &Config, routes: Vec<CompiledRoute>) -> anyhow::Result<Self> {
        let mut hosts = vec![];
        for (host, entries) in paths(config)? {
            let mut by_path = Router::new();
            for (path, entry) in entries {
                by_path
                    .insert(&path, entry)
                    .with_context(|| format!("route {path}"))?;
            }
            hosts.push((host, by_path));
        }
        Ok(Self { hosts, routes })
    }

    /// The paths of the host patterns that match the request, in the order in which they are tried.
    fn routers<'a>(&'a self, wanted: Wanted<'_>) -> impl Iterator<Item = &'a (Host, Router<Entry>)> {
        // Most tables have no hosts at all.
        let only_any = matches!(self.hosts.as_slice(), [(Host::Any, _)]);
        let host = if only_any { String::new() } else { wanted.host() };
        self.hosts
            .iter()
            .filter(move |(pattern, _)| pattern.matches(&host))
    }

    /// Finds the route of a request.
    pub(crate) fn find(&self, wanted: Wanted<'_>) -> Lookup<'_> {
        let mut result = Lookup::NotFound;
        for (_, router) in self.routers(wanted) {
            let Ok(matched) = router.at(wanted.uri.path()) else {
                continue;
            };
            let candidates = &matched.value.candidates;
            let has_method = |one: &&Candidate| one.method == *wanted.method;
            if let Some(found) = candidates
                .iter()
                .filter(has_method)
                .find(|one| one.conditions.hold(wanted))
            {
                let params = matched.params.iter();
                let params = params.map(|(key, value)| (key.to_owned(), value.to_owned()));
                return Lookup::Route(&self.routes[found.number], params.collect());
            }
            // A file route matches every path, so it does not mean that this path exists.
            let is_known = !candidates.iter().all(|one| self.serves_files(one.number));
            if is_known
                && !candidates.iter().any(|one| has_method(&one))
                && matches!(result, Lookup::NotFound)
            {
                result = Lookup::MethodNotAllowed(matched.value.allow());
            }
        }
        result
    }

    /// All routes, in the order of their names.
    pub(crate) fn routes(&self) -> &[CompiledRoute] {
        &self.routes
    }

    /// The recent requests of the route with this name.
    pub(crate) fn traffic(&self, name: &str) -> Option<Arc<Traffic>> {
        let route = self.routes.iter().find(|route| route.name == name)?;
        Some(Arc::clone(&route.traffic))
    }

    fn serves_files(&self, number: usize) -> bool {
        matches!(self.routes[number].action, Action::Files(_))
    }

    /// The value of the `Allow` header for the path of a request; `None` if no route has it.
    pub(crate) fn allow(&self, wanted: Wanted<'_>) -> Option<HeaderValue> {
        self.routers(wanted).find_map(|(_, router)| {
            router
                .at(wanted.uri.path())
                .ok()
                .map(|matched| matched.value.allow())
        })
    }

    /// Says step by step how the route of a request is found.
    pub(crate) fn explain(&self, wanted: Wanted<'_>) -> String {
        let mut text = String::new();
        for (host, router) in &self.hosts {
            let name = match host {
                Host::Exact(name) => name.clone(),
                Host::Below(_, suffix) => format!("*{suffix}"),
                Host::Any => "any host".to_owned(),
            };
            if !host.matches(&wanted.host()) {
                let _ = writeln!(text, "{name}: does not match the host of the request");
                continue;
            }
            let Ok(matched) = router.at(wanted.uri.path()) else {
                let _ = writeln!(text, "{name}: no route has this path");
                continue;
            };
            let candidates = &matched.value.candidates;
            let path = candidates.first().map(|one| &*self.routes[one.number].path);
            let _ = writeln!(
                text,
                "{name}: the most specific path is {}",
                path.unwrap_or_default()
            );
            let mut is_found = false;
            for one in candidates {
                let route = &self.routes[one.number].name;
                let verdict = match (one.method == *wanted.method, one.conditions.hold(wanted)) {
                    (false, _) => "has another method",
                    (true, false) => "requires another scheme, header field or query parameter",
                    (true, true) if is_found => "would match, but has fewer conditions",
                    (true, true) => {
                        is_found = true;
                        "is chosen"
                    }
                };
                let _ = writeln!(text, "  {route} ({}) {verdict}", one.method);
            }
            if is_found {
                break;
            }
        }
        text
    }
}

impl Entry {
    /// The value of the `Allow` header.
    fn allow(&self) -> HeaderValue {
        let mut methods: Vec<&str> = vec![];
        for one in &self.candidates {
            if !methods.contains(&one.method.as_str()) {
                methods.push(one.method.as_str());
            }
        }
        HeaderValue::try_from(methods.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}
