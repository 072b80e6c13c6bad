//! Clients behind proxies, and the security headers of responses.

use axum::{
    Router,
    http::HeaderMap,
    response::IntoResponse,
    routing::{any, get, post},
};
use serde_json::Value;
use testkit::auth::Issuer;
use tokio_util::sync::DropGuard;

use crate::harness::{free_port, start};

struct Edge {
    url: String,
    client: reqwest::Client,
    issuer: Issuer,
    _ends: DropGuard,
}

/// Responds with the `X-Forwarded-*` fields of the request.
async fn forwarded_fields(headers: HeaderMap) -> axum::Json<Value> {
    let fields = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];
    let value = |name: &str| {
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap());
        Value::from(values.collect::<Vec<_>>().join(" + "))
    };
    axum::Json(
        fields
            .iter()
            .map(|name| ((*name).to_owned(), value(name)))
            .collect(),
    )
}

/// A gateway whose listener has these further settings. Each address may request `/few` twice a minute.
async fn edge(setting: &str) -> Edge {
    let issuer = Issuer::start().await;
    let public = || async { ([("cache-control", "public, max-age=5"), ("etag", "\"v1\"")], "{}") };
    let router = Router::new()
        .route("/public", get(public))
        .route("/cacheable", get(public))
        .route("/login", post(|| async { "{}" }))
        .route(
            "/mine",
            get(|| async { ([("cache-control", "private, no-cache")], "{}").into_response() }),
        )
        .fallback(any(forwarded_fields));
    let backend = testkit::spawn(router).await.replace("http://", "");
    let bind = free_port();
    let ends = start(&format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"{setting}}}}}
auth: {{souk: {{issuer: "https://souk.test", audience: [souk], jwks: "{jwks}", algorithms: [EdDSA]}}}}
upstreams: {{backend: {{discover: {{static: ["{backend}"]}}}}}}
policies:
  open: [anonymous]
  user: [{{auth: souk}}]
  few: [anonymous, {{rate: {{by: address, quota: 2, window: 60s}}}}]
unmatched: {{by: address, quota: 5, window: 60s}}
routes:
  forwarded: {{match: {{path: /forwarded, methods: [GET]}}, use: [open], to: backend}}
  few: {{match: {{path: /few, methods: [GET]}}, use: [few], to: backend}}
  public: {{match: {{path: /public, methods: [GET]}}, use: [open], to: backend}}
  login: {{match: {{path: /login, methods: [POST]}}, use: [open], to: backend}}
  cacheable: {{match: {{path: /cacheable, methods: [GET]}}, use: [user], to: backend}}
  plain: {{match: {{path: /plain, methods: [GET]}}, use: [user], to: backend}}
  mine: {{match: {{path: /mine, methods: [GET]}}, use: [user], to: backend}}
"#,
        jwks = issuer.jwks_url(),
    ));
    Edge {
        url: format!("http://{bind}"),
        client: reqwest::Client::new(),
        issuer,
        _ends: ends,
    }
}

impl Edge {
    async fn get(&self, path: &str, headers: &[(&str, &[u8])]) -> reqwest::Response {
        let mut request = self.client.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("a response")
    }

    async fn status(&self, path: &str, headers: &[(&str, &[u8])]) -> u16 {
        self.get(path, headers).await.status().as_u16()
    }
}

const FOR: &str = "x-forwarded-for";

#[tokio::test]
async fn each_client_behind_a_proxy_has_its_own_quota() {
    let edge = edge(", trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]").await;
    for client in ["192.0.2.1", "192.0.2.2"] {
        // What a client sends itself is to the left of what its proxies append, in one line or in several.
        let forged = |number: u8| format!("198.51.100.{number}");
        let lines = [
            format!("{}, {client}, 10.0.0.7", forged(1)),
            format!("{}, {client}", forged(2)),
        ];
        for line in &lines {
            assert_eq!(
                edge.status("/few", &[(FOR, line.as_bytes())]).await,
                200,
                "{line}"
            );
        }
        let several: [(&str, &[u8]); 3] = [
            (FOR, b"198.51.100.3"),
            (FOR, client.as_bytes()),
            (FOR, b"10.0.0.7"),
        ];
        assert_eq!(edge.status("/few", &several).await, 429);
        let hidden = [b"\xff, ".as_slice(), client.as_bytes()].concat();
        assert_eq!(
            edge.status("/few", &[(FOR, b"198.51.100.4"), (FOR, &hidden)])
                .await,
            429
        );
    }
    let forwarded: Value = edge
        .get(
            "/forwarded",
            &[
                (FOR, b"198.51.100.1, 192.0.2.1, 10.0.0.7"),
                ("x-forwarded-proto", b"https"),
            ],
        )
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        forwarded["x-forwarded-for"], "192.0.2.1",
        "one address, which the client cannot choose"
    );
    assert_eq!(forwarded["x-forwarded-proto"], "https");
}

#[tokio::test]
async fn without_trusted_proxies_forwarded_fields_are_ignored() {
    let edge = edge("").await;
    for expected in [200, 200, 429] {
        let line = format!("192.0.2.{expected}");
        assert_eq!(edge.status("/few", &[(FOR, line.as_bytes())]).await, expected);
    }
    let claims: [(&str, &[u8]); 3] = [
        (FOR, b"192.0.2.1"),
        ("x-forwarded-proto", b"https"),
        ("x-forwarded-host", b"evil.test"),
    ];
    let answer = edge.get("/forwarded", &claims).await;
    assert!(!answer.headers().contains_key("strict-transport-security"));
    let forwarded: Value = answer.json().await.unwrap();
    assert_eq!(forwarded["x-forwarded-for"], "127.0.0.1");
    assert_eq!(forwarded["x-forwarded-proto"], "http");
    assert_eq!(
        forwarded["x-forwarded-host"],
        edge.url.trim_start_matches("http://")
    );
}

#[tokio::test]
async fn responses_over_https_have_hsts() {
    let edge = edge(", trusted_proxies: [127.0.0.0/8], hsts: 48h").await;
    let hsts = |answer: &reqwest::Response| {
        let value = answer.headers().get("strict-transport-security");
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    for path in ["/public", "/nowhere"] {
        let https = edge.get(path, &[("x-forwarded-proto", b"https")]).await;
        assert_eq!(hsts(&https).as_deref(), Some("max-age=172800"), "{path}");
        assert_eq!(
            hsts(&edge.get(path, &[("x-forwarded-proto", b"http")]).await),
            None
        );
    }
}

#[tokio::test]
async fn responses_have_nosniff_and_personal_ones_are_not_stored() {
    let edge = edge("").await;
    let token = format!("Bearer {}", edge.issuer.customer(contracts::UserId::generate()));
    for (path, status, caching) in [
        ("/public", 200, "public, max-age=5"),
        ("/cacheable", 200, "no-store"),
        ("/plain", 200, "no-store"),
        ("/mine", 200, "private, no-cache"),
        ("/nowhere", 404, "no-store"),
    ] {
        let answer = testkit::eventually("token keys", std::time::Duration::from_secs(10), async || {
            let answer = edge.get(path, &[("authorization", token.as_bytes())]).await;
            (answer.status() != 503).then_some(answer)
        })
        .await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers()["cache-control"], caching, "{path}");
    }
    let login = edge
        .client
        .post(format!("{}/login", edge.url))
        .send()
        .await
        .unwrap();
    assert_eq!(login.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn unmatched_requests_have_a_quota() {
    let edge = edge(", trusted_proxies: [127.0.0.0/8]").await;
    let refused = async |client: u8, count: usize| {
        let client = format!("192.0.2.{client}");
        let mut statuses = vec![];
        for number in 0..count {
            let request = match number % 3 {
                0 => edge.client.get(format!("{}/nowhere", edge.url)),
                1 => edge.client.delete(format!("{}/forwarded", edge.url)),
                _ => edge.client.get(format!("{}/%ff", edge.url)),
            };
            let answer = request.header(FOR, &client).send().await.unwrap();
            let status = answer.status().as_u16();
            assert_eq!(answer.headers().contains_key("retry-after"), status == 429);
            statuses.push(status);
        }
        statuses
    };
    assert_eq!(refused(1, 7).await, [404, 405, 400, 404, 405, 429, 429]);
    assert_eq!(refused(2, 1).await, [404], "another client has its own quota");
    assert_eq!(
        edge.status("/forwarded", &[(FOR, b"192.0.2.1")]).await,
        200,
        "routes have quotas of their own"
    );
}

/// A load balancer that passes on the client's address with the PROXY protocol, version 2.
#[tokio::test]
async fn the_proxy_protocol_carries_the_address_of_the_client() {
    use tokio::io::AsyncWriteExt as _;

    let echo = axum::Router::new().fallback(async |headers: axum::http::HeaderMap| {
        let client = headers["x-forwarded-for"].to_str().unwrap_or_default().to_owned();
        format!("client {client}")
    });
    let upstream = testkit::spawn(echo).await.replace("http://", "");
    let start = |trusted: &str| {
        let bind = crate::harness::free_port();
        let guard = crate::harness::start(&format!(
            r#"
version: 1
listeners: {{edge: {{bind: "{bind}", proxy_protocol: true, trusted_proxies: ["{trusted}"]}}}}
upstreams: {{echo: {{discover: {{static: ["{upstream}"]}}}}}}
policies: {{open: [anonymous]}}
routes: {{all: {{match: {{path: /, methods: [GET]}}, use: [open], to: echo}}}}
"#
        ));
        (guard, format!("http://{bind}"))
    };
    let request =
        b"GET / HTTP/1.1\r\nhost: shop.test\r\nx-forwarded-for: 203.0.113.9\r\nconnection: close\r\n\r\n";
    let header = [
        &b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..],
        &[192, 0, 2, 7, 10, 0, 0, 1, 0, 80, 0, 80],
    ]
    .concat();
    let send = async |url: &str, head: &[u8]| {
        let mut stream = crate::harness::connect(url).await;
        let _ = stream.write_all(&[head, &request[..]].concat()).await;
        crate::harness::rest(stream).await
    };
    let (_guard, url) = start("127.0.0.0/8");
    let answer = send(&url, &header).await;
    assert!(answer.ends_with("client 192.0.2.7"), "{answer}");
    assert_eq!(
        send(&url, b"").await,
        "",
        "a connection without the header is closed"
    );
    let (_guard, url) = start("10.0.0.0/8");
    assert_eq!(
        send(&url, &header).await,
        "",
        "only trusted proxies may pass on addresses"
    );
}
