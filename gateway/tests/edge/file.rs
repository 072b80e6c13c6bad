//! The file: the shipped one, and wrong ones.

use gateway::config::{Config, Link};

/// The shipped file: every route of the public API is there, and it says who may use it.
#[test]
fn the_shipped_file_is_good_and_knows_every_route() {
    let text = include_str!("../../gateway.yaml");
    let config = Config::parse(text, |_| None).unwrap_or_else(|error| panic!("{error}"));
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
fn every_route_of_the_shipped_file_has_a_quota_and_every_call_a_limit() {
    let config = Config::parse(include_str!("../../gateway.yaml"), |_| None).unwrap();
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

#[test]
fn a_wrong_file_is_refused_with_the_place() {
    let good = "version: 1\nlisteners: {edge: {bind: \"127.0.0.1:1\"}}\nupstreams: {a: {discover: {dns: \"a:1\"}}}\npolicies: {open: [anonymous]}\nroutes:\n  r: {match: {path: /x, methods: [GET]}, use: [open], to: a}\n";
    assert!(Config::parse(good, |_| None).is_ok());
    for (change, to, line) in [
        ("to: a}", "to: b}", 6),
        ("use: [open]", "use: [closed]", 6),
        ("use: [open]", "use: []", 6),
        ("methods: [GET]", "methods: [TRACE]", 6),
        ("to: a}", "to: a, colour: red}", 6),
        ("version: 1", "version: 2", 1),
    ] {
        let error = Config::parse(&good.replace(change, to), |_| None)
            .expect_err(to)
            .to_string();
        assert!(error.starts_with(&format!("line {line}, ")), "{to}: {error}");
        assert_eq!(
            error.matches("line ").count(),
            1,
            "the place is said once: {error}"
        );
    }
    let breaker = "{breaker: {window: 10s, min_calls: 20, failures: 50%, slow: {over: 1s, share: 80%}, open: 30s, probes: 5}}";
    let broken = good.replace(
        "policies: {open: [anonymous]}",
        &format!("policies:\n  open:\n    - anonymous\n    - {breaker}"),
    );
    Config::parse(&broken, |_| None).unwrap_or_else(|error| panic!("{error}\n{broken}"));
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
        let error = Config::parse(&broken.replacen(change, to, 1), |_| None)
            .expect_err(to)
            .to_string();
        assert!(
            error.starts_with(&format!("line {line}, column ")),
            "{to}: {error}"
        );
    }
    let limited = broken.replace(breaker, "{in_flight: {max: 1, queue: 0, wait: 1s}}");
    Config::parse(&limited, |_| None).unwrap_or_else(|error| panic!("{error}\n{limited}"));
    let spans = "to: a, browser_spans: {service: s, max: 1, attributes: []}";
    Config::parse(&good.replace("to: a", spans), |_| None).unwrap_or_else(|error| panic!("{error}"));
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
        (good, "bind: ", "trusted_proxies: [somebody], bind: "),
    ] {
        assert!(file.contains(change), "{change}");
        let error = Config::parse(&file.replacen(change, to, 1), |_| None)
            .expect_err(to)
            .to_string();
        assert!(error.starts_with("line "), "{to}: {error}");
    }
    let twice = format!("{good}  s: {{match: {{path: /x, methods: [GET]}}, use: [open], to: a}}\n");
    assert!(
        Config::parse(&twice, |_| None)
            .expect_err("twice")
            .to_string()
            .contains("line 7"),
        "two routes of one path"
    );
}
