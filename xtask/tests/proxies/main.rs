//! The files that put Kong or Traefik in front of Souk serve the same routes as `gateway/gateway.yaml`, with the same
//! quotas. A route that they leave to Souk's gateway is listed in `docs/coming-from-kong-and-traefik.md`.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

mod kong;
mod traefik;

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use serde_json::Value;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn yaml(file: &str) -> Value {
    let text = read(file);
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Replaces each `${NAME:-default}` by the default.
fn with_defaults(text: &str) -> String {
    let mut parts = text.split("${");
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (variable, rest) = part.split_once('}').expect("a closing brace");
        replaced += variable.split_once(":-").map_or("", |(_, default)| default);
        replaced += rest;
    }
    replaced
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    list(value).iter().map(text).collect()
}

/// A number, which may be written as a text.
fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap_or_else(|| panic!("{value} is not a number"))
}

/// A route of the gateway that both proxies forward to a service.
struct Route {
    name: String,
    path: String,
    methods: Vec<String>,
    /// `host:port` of the service.
    address: String,
    /// Upstream and policy, such as `orders-user`. Both proxies bundle the routes of a group.
    group: String,
    needs_token: bool,
    quota: Value,
}

impl Route {
    fn upstream(&self) -> &str {
        self.group.split('-').next().unwrap_or_default()
    }

    fn policy(&self) -> &str {
        self.group.split('-').nth(1).unwrap_or_default()
    }

    fn has_parameters(&self) -> bool {
        self.path.contains('{')
    }

    /// Regular expression of the whole path, without anchors.
    fn expression(&self) -> String {
        let mut expression = String::new();
        for part in self.path.replace('.', r"\.").split('/').skip(1) {
            let part = if part.starts_with('{') { "[^/]+" } else { part };
            let _ = write!(expression, "/{part}");
        }
        expression
    }

    /// Whether a request for `other`, which has no parameters, also fits this route.
    fn overlaps(&self, other: &Self) -> bool {
        let (own, others): (Vec<_>, Vec<_>) =
            (self.path.split('/').collect(), other.path.split('/').collect());
        own.len() == others.len()
            && own
                .iter()
                .zip(others)
                .all(|(own, other)| own.starts_with('{') || *own == other)
            && self.methods.iter().any(|method| other.methods.contains(method))
    }
}

/// Names of the routes that the documentation lists as left to Souk's gateway.
fn left_to_the_gateway() -> BTreeSet<String> {
    let document = read("docs/coming-from-kong-and-traefik.md");
    let (_, section) = document
        .split_once("\n## Routes that stay with Souk's gateway\n")
        .expect("the section with the routes");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split('|').next());
    cells
        .flat_map(|cell| cell.split(['`', ',', ' ']))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The routes of `gateway.yaml` that the proxies forward to a service, in the order of the names.
fn routes() -> Vec<Route> {
    let config: Value = serde_saphyr::from_str(&with_defaults(&read("gateway/gateway.yaml"))).unwrap();
    let left = left_to_the_gateway();
    let all = config["routes"].as_object().unwrap();
    for name in &left {
        assert!(
            all.contains_key(name),
            "the documentation lists {name}, which is no route"
        );
    }
    let forwarded = all.iter().filter(|(name, _)| !left.contains(*name));
    let routes = forwarded.map(|(name, route)| {
        let upstream = text(&route["to"]);
        let url = text(&config["upstreams"][upstream]["discover"]["url"]);
        let address = url.strip_prefix("dns://").unwrap_or_default().to_owned();
        for special in ["aggregate", "grpc", "files", "local", "browser_spans"] {
            assert!(
                route[special].is_null() && !address.is_empty(),
                "{name}: only Souk's gateway can do this; list it in docs/coming-from-kong-and-traefik.md"
            );
        }
        let policies = texts(&route["use"]);
        // `owner` differs from `user` only for API keys, whose requests all go to Souk's gateway.
        let policy = match policies[0] {
            _ if !route["idle"].is_null() => "events",
            "owner" => "user",
            policy => policy,
        };
        let links = || {
            policies
                .iter()
                .flat_map(|policy| list(&config["policies"][*policy]))
        };
        Route {
            name: name.clone(),
            path: text(&route["match"]["path"]).to_owned(),
            methods: texts(&route["match"]["methods"])
                .into_iter()
                .map(str::to_owned)
                .collect(),
            address,
            group: format!("{upstream}-{policy}"),
            needs_token: links().any(|link| !link["auth"].is_null()),
            // The narrowest quota is the last one.
            quota: links().rfind(|link| !link["rate"].is_null()).expect("a quota")["rate"].clone(),
        }
    });
    routes.collect()
}

fn names<T: Into<String>>(names: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    names.into_iter().map(Into::into).collect()
}

/// Pairs of a route without parameters and one with parameters that also fits its requests.
fn overlaps(routes: &[Route]) -> impl Iterator<Item = (&Route, &Route)> {
    let plain = routes.iter().filter(|route| !route.has_parameters());
    plain.flat_map(move |route| {
        let others = routes.iter().filter(|other| other.has_parameters());
        others
            .filter(move |other| other.overlaps(route))
            .map(move |other| (route, other))
    })
}
