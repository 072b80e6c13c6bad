//! Which route a request takes: by path, then by method.

use std::time::Duration;

use anyhow::Context as _;
use http::{HeaderValue, Method};
use matchit::Router;

use crate::{
    aggregate::Plan,
    browser_spans::BrowserSpans,
    chain::Link,
    config::{self, Config, ConfigError, Local},
    files::Files,
    transcode,
    upstream::Target,
};

/// A route, ready for requests.
#[derive(Debug)]
pub struct Compiled {
    pub(crate) name: String,
    /// As it stands in the file.
    pub(crate) path: String,
    /// As they stand there; GET includes HEAD.
    pub(crate) methods: Vec<Method>,
    pub(crate) links: Vec<Link>,
    pub(crate) action: Action,
    pub(crate) deadline: Duration,
    /// The answer streams, and this much silence ends it.
    pub(crate) idle: Option<Duration>,
    /// Where the upstream has no answer, the request is accepted and dropped.
    pub(crate) best_effort: bool,
}

/// Who answers.
#[derive(Debug)]
pub(crate) enum Action {
    Forward(Target),
    BrowserSpans(Target, BrowserSpans),
    Grpc(transcode::Call),
    Aggregate(Plan),
    Files(Files),
    Local(Local),
}

impl Compiled {
    /// From the file; `target` finds an upstream by its name.
    pub(crate) fn new(
        name: &str,
        route: &config::Route,
        links: Vec<Link>,
        deadline: Duration,
        target: &mut impl FnMut(&str) -> Target,
    ) -> anyhow::Result<Self> {
        let action = if let Some(aggregate) = &route.aggregate {
            Action::Aggregate(Plan::new(aggregate, target)?)
        } else if let Some(files) = &route.files {
            Action::Files(Files::new(files).with_context(|| format!("route {name}"))?)
        } else if let Some(local) = route.local {
            Action::Local(local)
        } else {
            let to = route
                .to
                .as_ref()
                .with_context(|| format!("route {name} answers nothing"))?;
            match (&route.grpc, &route.browser_spans) {
                (Some(grpc), _) => Action::Grpc(transcode::Call::new(grpc, target(&to.value))?),
                (None, Some(spans)) => Action::BrowserSpans(target(&to.value), BrowserSpans::new(spans)),
                (None, None) => Action::Forward(target(&to.value)),
            }
        };
        Ok(Self {
            name: name.to_owned(),
            path: route.matches.path.value.clone(),
            methods: route
                .matches
                .methods
                .iter()
                .map(|method| method.parse())
                .collect::<Result<_, _>>()?,
            links,
            action,
            deadline: route.deadline.map_or(deadline, |span| span.0),
            idle: route.idle.map(|span| span.0),
            best_effort: route.best_effort,
        })
    }
}

/// All routes.
#[derive(Debug)]
pub struct Table {
    paths: Router<Entry>,
    routes: Vec<Compiled>,
}

#[derive(Debug)]
struct Entry {
    methods: Vec<(Method, usize)>,
    allow: HeaderValue,
}

/// What the table says of a request.
pub(crate) enum Found<'a> {
    Route(&'a Compiled, Vec<(String, String)>),
    OtherMethods(HeaderValue),
    Nothing,
}

impl Table {
    /// Checks that no route hides another.
    pub(crate) fn check(config: &Config) -> Result<(), ConfigError> {
        let mut paths: Router<Vec<String>> = Router::new();
        let mut known: Vec<String> = vec![];
        for route in config.routes.values() {
            let path = &route.matches.path;
            if !known.contains(&path.value) {
                paths
                    .insert(path.value.clone(), vec![])
                    .map_err(|error| ConfigError::on(path, error.to_string()))?;
                known.push(path.value.clone());
            }
            let Ok(found) = paths.at_mut(&path.value) else {
                return Err(ConfigError::on(path, "the path does not match itself"));
            };
            for method in &route.matches.methods {
                if found.value.contains(method) {
                    return Err(ConfigError::on(
                        path,
                        format!("another route has {method} of this path"),
                    ));
                }
                found.value.push(method.clone());
            }
        }
        Ok(())
    }

    /// From the checked file; `routes` stand in its order.
    pub(crate) fn new(config: &Config, routes: Vec<Compiled>) -> anyhow::Result<Self> {
        let mut by_path: std::collections::BTreeMap<&str, Vec<(Method, usize)>> =
            std::collections::BTreeMap::new();
        for (number, route) in config.routes.values().enumerate() {
            for method in &route.matches.methods {
                let methods = by_path.entry(&route.matches.path.value).or_default();
                methods.push((method.parse()?, number));
                if method == "GET" && !route.matches.methods.iter().any(|other| other == "HEAD") {
                    methods.push((Method::HEAD, number));
                }
            }
        }
        let mut paths = Router::new();
        for (path, methods) in by_path {
            let allow: Vec<&str> = methods.iter().map(|(method, _)| method.as_str()).collect();
            let allow = HeaderValue::try_from(allow.join(", "))?;
            paths
                .insert(path, Entry { methods, allow })
                .with_context(|| format!("route {path}"))?;
        }
        Ok(Self { paths, routes })
    }

    /// All of them, in the order of the file.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Compiled> {
        self.routes.iter()
    }

    pub(crate) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Ok(matched) = self.paths.at(path) else {
            return Found::Nothing;
        };
        match matched.value.methods.iter().find(|(known, _)| known == method) {
            Some((_, number)) => {
                let params = matched
                    .params
                    .iter()
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect();
                Found::Route(&self.routes[*number], params)
            }
            // Files stand for every path, and say nothing about those that are none of theirs.
            None if matched
                .value
                .methods
                .iter()
                .all(|(_, number)| self.has_files(*number)) =>
            {
                Found::Nothing
            }
            None => Found::OtherMethods(matched.value.allow.clone()),
        }
    }

    fn has_files(&self, number: usize) -> bool {
        matches!(self.routes[number].action, Action::Files(_))
    }

    /// The `Allow` of a path.
    pub(crate) fn allow(&self, path: &str) -> Option<HeaderValue> {
        self.paths
            .at(path)
            .ok()
            .map(|matched| matched.value.allow.clone())
    }
}
