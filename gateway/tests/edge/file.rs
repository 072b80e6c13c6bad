//! The configuration file: the shipped one is valid, and errors in others are reported with their position.

use gateway::{
    config::{Config, ConfigError, Discover, Link},
    snapshot,
};

/// Parses and checks a file without environment variables.
fn read(text: &str) -> Result<Config, ConfigError> {
    let config = Config::parse(text, |_| None)?;
    snapshot::check(&config).map(|()| config)
}

/// The shipped file is valid and has every route of the public API.
#[test]
fn the_shipped_file_is_valid_and_has_every_route() {
    let text = include_str!("../../gateway.yaml");
    let config = read(text).unwrap_or_else(|error| panic!("{error}"));
    let has = |method: &str, path: &str| {
        let mut routes = config.routes.values();
        routes.any(|route| {
            route.matches.path.value == path && route.matches.methods.iter().any(|known| known == method)
        })
    };
    for route in include_str!("../routes.txt").lines() {
        let (method, path) = route.split_once(' ').expect("METHOD path");
        assert!(has(method, path), "{route} has no route");
    }
}

#[test]
fn every_shipped_route_has_a_quota_and_guards_its_upstream_calls() {
    let config = read(include_str!("../../gateway.yaml")).unwrap();
    assert!(config.unmatched.is_some());
    for (name, route) in &config.routes {
        let links = || {
            route
                .uses
                .iter()
                .flat_map(|policy| &config.policies[&policy.value])
        };
        assert!(
            links().any(|link| matches!(link, Link::Rate(_))),
            "{name} has no quota"
        );
        let calls = route.files.is_none() && route.local.is_none();
        for (what, has) in [
            ("breaker", links().any(|link| matches!(link, Link::Breaker(_)))),
            ("limit", links().any(|link| matches!(link, Link::InFlight(_)))),
        ] {
            assert_eq!(has, calls, "{name}: {what}");
        }
    }
}

/// The shipped file with the variable that selects where services are found.
fn discovered_by(registry: &str) -> Config {
    let variable = |name: &str| match name {
        "SOUK_DISCOVERY" => Some(registry.to_owned()),
        "SOUK_CONSUL_URL" => Some("http://consul:8500".to_owned()),
        _ => None,
    };
    let config = Config::parse(include_str!("../../gateway.yaml"), variable).unwrap();
    snapshot::check(&config).unwrap();
    config
}

#[test]
fn one_variable_selects_where_the_shipped_file_finds_services() {
    let services = |config: &Config| {
        let services = config.upstreams.iter().filter(|(name, _)| *name != "telemetry");
        services
            .map(|(name, upstream)| (name.clone(), upstream.discover.clone()))
            .collect::<Vec<_>>()
    };
    let config = discovered_by("consul");
    assert_eq!(services(&config).len(), 7);
    for (name, discover) in services(&config) {
        let Discover::Consul(rules) = discover else {
            panic!("{name}: {discover:?}")
        };
        assert_eq!(rules.url.as_deref(), Some("http://consul:8500"), "{name}");
    }
    for (name, discover) in services(&discovered_by("kubernetes")) {
        let Discover::Kubernetes(rules) = discover else {
            panic!("{name}: {discover:?}")
        };
        assert_eq!(rules.service, name.trim_end_matches("_grpc"));
        assert!(rules.port.unwrap().parse::<u16>().is_ok(), "{name}");
    }
    for (name, discover) in services(&discovered_by("dns")) {
        assert!(matches!(discover, Discover::Dns(_)), "{name}: {discover:?}");
    }
}

#[test]
fn an_upstream_can_have_a_consul_of_its_own() {
    let file = |consul: &str| {
        let text = format!(
            "version: 1\nlisteners: {{}}\nconsul: {{url: \"http://one:8500\", token: /token}}\n\
             upstreams: {{a: {{discover: {{consul: {{service: a{consul}}}}}}}}}\nroutes: {{}}\n"
        );
        let Discover::Consul(rules) = read(&text).unwrap().upstreams["a"].discover.clone() else {
            panic!("{text}")
        };
        (rules.url.unwrap(), rules.token.is_some())
    };
    assert_eq!(file(""), ("http://one:8500".to_owned(), true));
    // The token is only for the server that it is configured with.
    let other = ", url: \"http://other:8500\"";
    assert_eq!(file(other), ("http://other:8500".to_owned(), false));
}

#[test]
fn an_invalid_file_is_rejected_with_the_position_of_the_error() {
    let good = "version: 1\nlisteners: {edge: {bind: \"127.0.0.1:1\"}}\nupstreams: {a: {discover: {dns: \"a:1\"}}}\npolicies: {open: [anonymous]}\nroutes:\n  r: {match: {path: /x, methods: [GET]}, use: [open], to: a}\n";
    assert!(read(good).is_ok());
    for (change, to, line) in [
        ("to: a}", "to: b}", 6),
        ("use: [open]", "use: [closed]", 6),
        ("use: [open]", "use: []", 6),
        ("methods: [GET]", "methods: [TRACE]", 6),
        ("to: a}", "to: a, colour: red}", 6),
        ("version: 1", "version: 2", 1),
        ("dns: \"a:1\"", "url: \"a:1\"", 3),
        ("dns: \"a:1\"", "url: \"zookeeper://a:1\"", 3),
    ] {
        let error = read(&good.replace(change, to)).expect_err(to).to_string();
        assert!(error.starts_with(&format!("line {line}, ")), "{to}: {error}");
        assert_eq!(
            error.matches("line ").count(),
            1,
            "the position appears once: {error}"
        );
    }
    let breaker = "{breaker: {window: 10s, min_calls: 20, failures: 50%, slow: {over: 1s, share: 80%}, open: 30s, probes: 5}}";
    let broken = good.replace(
        "policies: {open: [anonymous]}",
        &format!("policies:\n  open:\n    - anonymous\n    - {breaker}"),
    );
    read(&broken).unwrap_or_else(|error| panic!("{error}\n{broken}"));
    for (change, to, line) in [
        ("probes: 5", "probes: 5, colour: red", 7),
        (", probes: 5", "", 7),
        ("probes: 5", "probes: 0", 7),
        ("failures: 50%", "failures: 100%", 7),
        ("share: 80%", "share: 0.8", 7),
        ("open: 30s", "open: 30", 7),
        (
            &format!("- {breaker}"),
            &format!("- {breaker}\n    - {breaker}"),
            10,
        ),
        ("to: a", "local: docs", 9),
    ] {
        assert!(broken.contains(change), "{change}");
        let error = read(&broken.replacen(change, to, 1)).expect_err(to).to_string();
        assert!(
            error.starts_with(&format!("line {line}, column ")),
            "{to}: {error}"
        );
    }
    let limited = broken.replace(breaker, "{in_flight: {max: 1, queue: 0, wait: 1s}}");
    read(&limited).unwrap_or_else(|error| panic!("{error}\n{limited}"));
    let spans = "to: a, browser_spans: {service: s, max: 1, attributes: []}";
    read(&good.replace("to: a", spans)).unwrap_or_else(|error| panic!("{error}"));
    for (file, change, to) in [
        (&*limited, "max: 1", "max: 0"),
        (&limited, "wait: 1s", "wait: 1"),
        (&limited, ", wait: 1s", ""),
        (
            &limited,
            "- {in_flight",
            "- {in_flight: {max: 1, queue: 0, wait: 1s}}\n    - {in_flight",
        ),
        (&limited, "to: a", "local: docs"),
        (good, "to: a", &spans.replace("max: 1", "max: 0")),
        (good, "to: a", &format!("{spans}, idle: 1s")),
        (good, "to: a", &spans.replace("to: a", "local: docs")),
        (
            good,
            "version: 1",
            "version: 1\nunmatched: {quota: 1, window: 1s}",
        ),
        (good, "bind: ", "trusted_proxies: [not-a-network], bind: "),
    ] {
        assert!(file.contains(change), "{change}");
        let error = read(&file.replacen(change, to, 1)).expect_err(to).to_string();
        assert!(error.starts_with("line "), "{to}: {error}");
    }
    let twice = format!("{good}  s: {{match: {{path: /x, methods: [GET]}}, use: [open], to: a}}\n");
    assert!(
        read(&twice).expect_err("twice").to_string().contains("line 7"),
        "two routes have the same path and method"
    );
}
