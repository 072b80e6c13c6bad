//! Which route serves a request: by host, path, method, header fields and query parameters.

use std::net::SocketAddr;

use axum::{Router, routing::any};
use gateway::{config::Config, snapshot};
use reqwest::redirect::Policy;

use crate::harness::{free_port, start};

/// Routes that differ in their hosts and conditions; each upstream answers with its own name.
fn yaml(bind: SocketAddr, upstreams: &[(&str, String)]) -> String {
    let upstream =
        |(name, address): &(&str, String)| format!("  {name}: {{discover: {{static: [\"{address}\"]}}}}");
    let upstreams = upstreams.iter().map(upstream).collect::<Vec<_>>().join("\n");
    format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}", trusted_proxies: ["127.0.0.0/8"]}}}}
upstreams:
{upstreams}
policies: {{open: [anonymous]}}
routes:
  plain: {{match: {{path: "/things/{{id}}", methods: [GET]}}, use: [open], to: plain}}
  beta: {{match: {{path: "/things/{{id}}", methods: [GET], headers: {{x-beta: "yes"}}}}, use: [open], to: beta}}
  tagged: {{match: {{path: "/things/{{id}}", methods: [GET], headers: {{x-beta: "yes"}}, query: {{tag: "*"}}}}, use: [open], to: tagged}}
  secure: {{match: {{path: "/things/{{id}}", methods: [GET], scheme: https}}, use: [open], to: secure}}
  shop: {{match: {{path: "/{{*rest}}", methods: [GET], hosts: ["shop.test"]}}, use: [open], to: shop}}
  below: {{match: {{path: "/{{*rest}}", methods: [GET], hosts: ["*.shop.test"]}}, use: [open], to: below}}
  deeper: {{match: {{path: "/{{*rest}}", methods: [GET], hosts: ["*.eu.shop.test"]}}, use: [open], to: deeper}}
  old: {{match: {{path: "/old/{{*rest}}", methods: [GET, POST]}}, use: [open], redirect: {{to: "/new/{{rest}}"}}}}
  moved: {{match: {{path: "/moved", methods: [GET]}}, use: [open], redirect: {{to: "https://shop.test/?from=moved", status: 302}}}}
"#
    )
}

async fn upstreams() -> Vec<(&'static str, String)> {
    let mut all = vec![];
    for name in ["plain", "beta", "tagged", "secure", "shop", "below", "deeper"] {
        let router = Router::new().fallback(any(async move || name));
        all.push((name, testkit::spawn(router).await.replace("http://", "")));
    }
    all
}

#[tokio::test]
async fn a_route_is_found_by_host_header_and_query() {
    let bind = free_port();
    let _gateway = start(&yaml(bind, &upstreams().await));
    let client = reqwest::Client::new();
    for (path, header, route) in [
        ("/things/1", ("x-other", "1"), "plain"),
        ("/things/1", ("x-beta", "no"), "plain"),
        ("/things/1", ("x-beta", "yes"), "beta"),
        ("/things/1?tag=", ("x-beta", "yes"), "tagged"),
        ("/things/1?tag=%41&x", ("x-beta", "yes"), "tagged"),
        ("/things/1?tag=1", ("x-forwarded-proto", "http"), "plain"),
        ("/things/1", ("x-forwarded-proto", "https"), "secure"),
        ("/any", ("host", "shop.test"), "shop"),
        ("/any", ("host", "SHOP.test:8080"), "shop"),
        ("/any", ("host", "www.shop.test"), "below"),
        ("/any", ("host", "a.eu.shop.test."), "deeper"),
        // The routes of any host serve what the routes of this host do not.
        ("/things/1", ("host", "shop.test"), "shop"),
        ("/things/1", ("host", "elsewhere.test"), "plain"),
    ] {
        let request = client
            .get(format!("http://{bind}{path}"))
            .header(header.0, header.1);
        let answer = request.send().await.unwrap().text().await.unwrap();
        assert_eq!(answer, route, "{path} with {header:?}");
    }
    let elsewhere = client.get(format!("http://{bind}/any")).send().await.unwrap();
    assert_eq!(elsewhere.status(), 404);
    let other_method = client
        .post(format!("http://{bind}/things/1"))
        .send()
        .await
        .unwrap();
    assert_eq!(other_method.status(), 405);
    assert_eq!(other_method.headers()["allow"], "GET, HEAD");
}

#[tokio::test]
async fn a_redirect_keeps_the_path_and_the_query() {
    let bind = free_port();
    let _gateway = start(&yaml(bind, &upstreams().await));
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .build()
        .unwrap();
    for (path, status, location) in [
        ("/old/a/b%20c?x=1", 308, "/new/a/b%20c?x=1"),
        ("/moved?x=1", 302, "https://shop.test/?from=moved"),
    ] {
        let answer = client.get(format!("http://{bind}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["location"], location);
    }
}

#[test]
fn explain_says_why_a_route_is_chosen() {
    let yaml = yaml(([127, 0, 0, 1], 1).into(), &[]).replace("to: plain", "local: healthz");
    let explain = |headers: &[&str], method: &str, path: &str| {
        let yaml = yaml.replace("upstreams:", "upstreams: {beta: {discover: {dns: \"beta:1\"}}, tagged: {discover: {dns: \"tagged:1\"}}, secure: {discover: {dns: \"secure:1\"}}, shop: {discover: {dns: \"shop:1\"}}, below: {discover: {dns: \"below:1\"}}, deeper: {discover: {dns: \"deeper:1\"}}}");
        let config = Config::parse(&yaml, |_| None).unwrap();
        snapshot::explain(config, method, path, headers).unwrap()
    };
    insta::assert_snapshot!(
        [
            explain(&["host: www.shop.test"], "GET", "/things/1"),
            explain(&["x-beta: yes"], "GET", "/things/1"),
            explain(&[], "DELETE", "/things/1"),
            explain(&[], "GET", "/nothing"),
        ]
        .join("\n---\n")
    );
}

#[test]
fn invalid_conditions_are_rejected_with_their_position() {
    let good = yaml(([127, 0, 0, 1], 1).into(), &[("plain", "127.0.0.1:2".to_owned())]);
    let all = ["beta", "tagged", "secure", "shop", "below", "deeper"];
    let good = all.iter().fold(good, |text, name| {
        text.replace(&format!("to: {name}"), "to: plain")
    });
    let check = |text: &str| {
        let config = Config::parse(text, |_| None).map_err(|error| error.to_string())?;
        snapshot::check(&config).map_err(|error| error.to_string())
    };
    check(&good).unwrap();
    for (change, to, problem) in [
        (
            "\"shop.test\"",
            "\"shop.test:80\"",
            "line 12, column 60: a host is a name",
        ),
        ("\"shop.test\"", "\"*.*\"", "a host is a name"),
        (
            "x-beta: \"yes\"}}, use",
            "\"x beta\": \"yes\"}}, use",
            "invalid header name",
        ),
        (
            ", headers: {x-beta: \"yes\"}}, use",
            "}, use",
            "another route already has GET",
        ),
        ("/new/{rest}", "//{rest}", "a redirect leads to"),
        ("status: 302", "status: 200", "the status of a redirect"),
    ] {
        let changed = good.replace(change, to);
        assert_ne!(changed, good, "{change}");
        let error = check(&changed).expect_err(to);
        assert!(error.contains(problem), "{to}: {error}");
    }
}
