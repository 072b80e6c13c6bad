//! gRPC calls pass through the gateway: all four kinds, with metadata, deadlines and statuses.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use gateway::{Gateway, config::Config, serve};
use testkit::auth::Issuer;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Code, IntoRequest as _, Request, Status, metadata::MetadataMap};

use crate::{
    harness::{free_port, listen_at, with_telemetry},
    rpc_service::{self, Client, Seen, service},
};

/// A gateway in front of the service `test.Test`.
struct Calls {
    bind: SocketAddr,
    client: Client,
    seen: Arc<Seen>,
    issuer: Issuer,
    gateway: Arc<Gateway>,
    _stop: tokio_util::sync::DropGuard,
}

impl Calls {
    async fn start() -> Self {
        let (address, seen) = service().await;
        Self::start_before(address, seen).await
    }

    async fn start_before(service: SocketAddr, seen: Arc<Seen>) -> Self {
        with_telemetry();
        let (issuer, bind, down) = (Issuer::start().await, free_port(), free_port());
        let web = testkit::spawn(axum::Router::new()).await.replace("http://", "");
        let yaml = format!(
            r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
limits: {{body: 1KiB}}
auth: {{souk: {{issuer: "https://souk.test", audience: [souk], jwks: "{jwks}", algorithms: [EdDSA], headers: {{x-user-id: sub}}}}}}
upstreams:
  test: {{discover: {{static: ["{service}"]}}, protocol: grpc}}
  down: {{discover: {{static: ["{down}"]}}, protocol: grpc}}
  web: {{discover: {{static: ["{web}"]}}, protocol: grpc}}
policies:
  open: [anonymous]
  user: [{{auth: souk}}]
  few: [anonymous, {{rate: {{by: address, quota: 1, window: 60s}}}}]
  safe: [anonymous, {{breaker: {{window: 10s, min_calls: 4, failures: 50%, slow: {{over: 2s, share: 80%}}, open: 5m, probes: 2}}}}]
routes:
  calls: {{match: {{path: "/test.Test/{{method}}", methods: [POST]}}, use: [open], to: test}}
  short: {{match: {{path: "/short.Test/{{method}}", methods: [POST]}}, use: [rewritten, open], to: test, deadline: 300ms}}
  streams: {{match: {{path: "/stream.Test/{{method}}", methods: [POST]}}, use: [rewritten, open], to: test, idle: 1s, deadline: 300ms}}
  user: {{match: {{path: "/user.Test/{{method}}", methods: [POST]}}, use: [user, rewritten], to: test, idle: 1m}}
  few: {{match: {{path: "/few.Test/{{method}}", methods: [POST]}}, use: [rewritten, few], to: test}}
  safe: {{match: {{path: "/safe.Test/{{method}}", methods: [POST]}}, use: [rewritten, safe], to: test}}
  down: {{match: {{path: "/down.Test/{{method}}", methods: [POST]}}, use: [open], to: down}}
  web: {{match: {{path: "/web.Test/{{method}}", methods: [POST]}}, use: [open], to: web}}
"#,
            jwks = issuer.jwks_url(),
        )
        .replace(
            "policies:\n",
            "policies:\n  rewritten: [{rewrite: {path: \"/test.Test/{method}\"}}]\n",
        );
        let config = Config::parse(&yaml, |_| None).unwrap_or_else(|error| panic!("{error}"));
        let gateway = Gateway::new(config).unwrap_or_else(|error| panic!("{error}"));
        let stop = CancellationToken::new();
        gateway.spawn_background(&TaskTracker::new(), &stop);
        serve::start(&gateway, &stop).unwrap();
        testkit::eventually("token keys", Duration::from_secs(10), async || {
            gateway.ready().then_some(())
        })
        .await;
        Self {
            bind,
            client: Client::connect(bind).await,
            seen,
            issuer,
            gateway,
            _stop: stop.drop_guard(),
        }
    }

    async fn echo(&self, path: &str) -> Result<String, Status> {
        let reply = self.client.unary(path, "hello".to_owned()).await;
        reply.map(tonic::Response::into_inner)
    }

    /// The status of a call of `method` with this message.
    async fn status(&self, path: &str, message: &str) -> Status {
        self.client.unary(path, message.to_owned()).await.unwrap_err()
    }

    fn metadata(&self) -> MetadataMap {
        self.seen.metadata.lock().unwrap().clone()
    }
}

async fn all(replies: &mut tonic::Streaming<String>) -> Vec<String> {
    let mut all = vec![];
    while let Some(reply) = replies.message().await.unwrap() {
        all.push(reply);
    }
    all
}

#[tokio::test]
async fn all_four_kinds_of_calls_pass_through() {
    let calls = Calls::start().await;
    let (client, texts) = (&calls.client, || ["a", "b", "c"].map(str::to_owned));
    assert_eq!(calls.echo("/test.Test/Echo").await.unwrap(), "hello");
    let count = client.server_streaming("/test.Test/Count", "3".to_owned()).await;
    assert_eq!(all(&mut count.unwrap().into_inner()).await, ["0", "1", "2"]);
    let joined = client
        .client_streaming("/test.Test/Join", futures::stream::iter(texts()))
        .await;
    assert_eq!(joined.unwrap().into_inner(), "abc");
    let echoed = client
        .streaming("/test.Test/Echo", futures::stream::iter(texts()))
        .await;
    assert_eq!(all(&mut echoed.unwrap().into_inner()).await, texts());
}

#[tokio::test]
async fn metadata_and_trailers_pass_in_both_directions() {
    let calls = Calls::start().await;
    let mut request = "hello".to_owned().into_request();
    request
        .metadata_mut()
        .insert("x-mine", "of the client".parse().unwrap());
    request
        .metadata_mut()
        .insert("x-user-id", "forged".parse().unwrap());
    let value = tonic::metadata::MetadataValue::from_bytes(&[0, 200]);
    request.metadata_mut().insert_bin("x-mine-bin", value.clone());
    let reply = calls.client.unary("/test.Test/Echo", request).await.unwrap();
    assert_eq!(reply.metadata().get("x-head").unwrap(), "of the service");
    assert!(reply.metadata().contains_key("x-request-id"));
    let seen = calls.metadata();
    assert_eq!(seen.get("x-mine").unwrap(), "of the client");
    assert_eq!(seen.get_bin("x-mine-bin").unwrap(), value);
    assert!(!seen.contains_key("x-user-id"), "{seen:?}");
    assert!(seen.contains_key("traceparent"), "{seen:?}");
    assert_eq!(seen.get("x-forwarded-for").unwrap(), "127.0.0.1");
    for method in ["Fail", "FailLater"] {
        let path = format!("/test.Test/{method}");
        let replies = calls.client.server_streaming(&path, "9".to_owned()).await;
        let status = match replies {
            Ok(replies) => {
                let mut replies = replies.into_inner();
                assert_eq!(replies.message().await.unwrap().unwrap(), "first");
                replies.message().await.unwrap_err()
            }
            Err(status) => status,
        };
        assert_eq!(
            (status.code(), status.message(), status.details()),
            (Code::FailedPrecondition, "as wished, 100 %", &[1, 2, 3][..]),
            "{method}"
        );
        assert_eq!(status.metadata().get("x-tail").unwrap(), "of the service");
        assert_eq!(
            status
                .metadata()
                .get_bin("x-tail-bin")
                .unwrap()
                .to_bytes()
                .unwrap(),
            [0, 255][..]
        );
    }
}

#[tokio::test]
async fn messages_of_a_stream_are_not_held_back_in_either_direction() {
    let calls = Calls::start().await;
    let (send, messages) = futures::channel::mpsc::unbounded();
    let replies = calls.client.streaming("/stream.Test/Echo", messages).await;
    let mut replies = replies.unwrap().into_inner();
    let started = Instant::now();
    // Longer than the deadline of the route and than its idle timeout.
    let mut number = 0;
    while started.elapsed() < Duration::from_millis(1500) {
        send.unbounded_send(number.to_string()).unwrap();
        assert_eq!(replies.message().await.unwrap().unwrap(), number.to_string());
        number += 1;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let idle = Instant::now();
    let status = replies.message().await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::DeadlineExceeded, "the call was idle for too long")
    );
    assert!(
        idle.elapsed() >= Duration::from_millis(700),
        "{:?}",
        idle.elapsed()
    );
    drop(send);
}

#[tokio::test]
async fn the_shorter_deadline_of_client_and_route_applies_and_reaches_the_service() {
    let calls = Calls::start().await;
    let timeout = |limit: Option<&str>| {
        let mut request = Request::new("x".to_owned());
        if let Some(limit) = limit {
            request
                .metadata_mut()
                .insert("grpc-timeout", limit.parse().unwrap());
        }
        request
    };
    let seen = async |path: &str, limit| {
        calls.client.unary(path, timeout(limit)).await.unwrap();
        let metadata = calls.metadata();
        let text = metadata.get("grpc-timeout")?.to_str().unwrap().to_owned();
        let micros: u64 = text
            .strip_suffix('u')
            .unwrap_or_else(|| panic!("{text}"))
            .parse()
            .unwrap();
        Some(Duration::from_micros(micros))
    };
    let within = |time: Option<Duration>, from: u64, to: u64| {
        let time = time.unwrap();
        assert!(
            (Duration::from_millis(from)..=Duration::from_millis(to)).contains(&time),
            "{time:?}"
        );
    };
    within(seen("/test.Test/Echo", Some("3S")).await, 2500, 3000);
    within(seen("/test.Test/Echo", Some("1H")).await, 9500, 10_000);
    within(seen("/test.Test/Echo", None).await, 9500, 10_000);
    within(seen("/stream.Test/Echo", Some("20S")).await, 19_500, 20_000);
    assert_eq!(seen("/stream.Test/Echo", None).await, None);
    let invalid = calls.client.unary("/test.Test/Echo", timeout(Some("soon"))).await;
    assert_eq!(invalid.unwrap_err().code(), Code::InvalidArgument);

    let started = Instant::now();
    let status = calls.status("/short.Test/Wait", "x").await;
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(started.elapsed() < Duration::from_secs(2));
    calls.seen.cancelled.notified().await;
}

/// The client's own timeout must not be what ends the call, so the client says nothing about it to its library.
#[tokio::test]
async fn a_deadline_in_the_middle_of_a_stream_ends_it_with_a_status() {
    let calls = Calls::start().await;
    let (send, messages) = futures::channel::mpsc::unbounded();
    send.unbounded_send("one".to_owned()).unwrap();
    let replies = calls.client.streaming("/short.Test/Echo", messages).await;
    let mut replies = replies.unwrap().into_inner();
    assert_eq!(replies.message().await.unwrap().unwrap(), "one");
    let status = replies.message().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(status.message().contains("deadline"), "{status:?}");
}

#[tokio::test]
async fn a_client_that_cancels_cancels_the_call_at_the_service() {
    let calls = Calls::start().await;
    let client = calls.client.clone();
    let call = tokio::spawn(async move { client.unary("/test.Test/Wait", "x".to_owned()).await });
    testkit::eventually("the call has arrived", Duration::from_secs(5), async || {
        (calls.seen.calls.load(Ordering::Relaxed) == 1).then_some(())
    })
    .await;
    call.abort();
    let cancelled = tokio::time::timeout(Duration::from_secs(5), calls.seen.cancelled.notified());
    cancelled.await.unwrap();
}

#[tokio::test]
async fn errors_of_the_gateway_have_a_grpc_status() {
    let calls = Calls::start().await;
    let no_route = calls.status("/nothing.Test/Echo", "x").await;
    assert_eq!(
        (no_route.code(), no_route.message()),
        (Code::Unimplemented, "this resource does not exist")
    );
    let no_method = calls.status("/test.Test/Nothing", "x").await;
    assert_eq!(no_method.message(), "no such method", "answered by the service");
    let no_token = calls.status("/user.Test/Echo", "x").await;
    assert_eq!(
        (no_token.code(), no_token.message()),
        (Code::Unauthenticated, "a token is required")
    );
    assert!(no_token.metadata().contains_key("www-authenticate"));
    calls.echo("/few.Test/Echo").await.unwrap();
    let limited = calls.status("/few.Test/Echo", "x").await;
    assert_eq!(limited.code(), Code::ResourceExhausted);
    assert!(limited.metadata().contains_key("retry-after"));
    assert_eq!(
        calls.status("/down.Test/Echo", "x").await.code(),
        Code::Unavailable
    );
    let large = calls.status("/test.Test/Join", &"x".repeat(1025)).await;
    assert_eq!(
        (large.code(), large.message()),
        (Code::ResourceExhausted, "the body is larger than 1024 bytes")
    );
    assert_eq!(calls.echo("/test.Test/Echo").await.unwrap(), "hello");
    let many = std::iter::repeat_n("x".repeat(1024), 10);
    let joined = calls
        .client
        .client_streaming("/test.Test/Join", futures::stream::iter(many))
        .await;
    assert_eq!(
        joined.unwrap().into_inner().len(),
        10_240,
        "the limit is that of each message"
    );
    // An upstream that speaks HTTP, but not gRPC.
    let web = calls.status("/web.Test/Echo", "x").await;
    assert_eq!(web.code(), Code::Unimplemented);
    assert!(web.message().contains("404"), "{web:?}");
}

#[tokio::test]
async fn other_requests_on_a_route_for_calls_are_rejected() {
    let calls = Calls::start().await;
    let client = reqwest::Client::new();
    for content in ["application/json", "application/grpc"] {
        let request = client.post(format!("http://{}/test.Test/Echo", calls.bind));
        let answer = request
            .header("content-type", content)
            .body("x")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_11);
        assert_eq!(answer.status(), 415, "{content}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    assert_eq!(calls.seen.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn http2_without_tls_serves_other_requests_as_well() {
    let calls = Calls::start().await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let answer = client
        .get(format!("http://{}/none", calls.bind))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (404, reqwest::Version::HTTP_2)
    );
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn a_breaker_counts_the_statuses_that_are_failures() {
    let calls = Calls::start().await;
    for code in ["5", "3", "16", "8", "9"] {
        calls.status("/safe.Test/Fail", code).await;
    }
    let count = |calls: &Calls| calls.seen.calls.load(Ordering::Relaxed);
    assert_eq!(count(&calls), 5);
    for (method, code) in [
        ("Fail", "14"),
        ("FailLater", "14"),
        ("FailLater", "13"),
        ("Fail", "13"),
        ("FailLater", "14"),
        ("Fail", "14"),
    ] {
        let path = format!("/safe.Test/{method}");
        let replies = calls.client.server_streaming(&path, code.to_owned()).await;
        if let Ok(replies) = replies {
            let mut replies = replies.into_inner();
            while let Ok(Some(_)) = replies.message().await {}
        }
    }
    assert!(count(&calls) <= 11);
    let before = count(&calls);
    let status = calls.status("/safe.Test/Echo", "x").await;
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("failed too often"), "{status:?}");
    assert!(status.metadata().contains_key("retry-after"));
    assert_eq!(count(&calls), before, "the service was not called");
}

#[tokio::test]
async fn a_stream_ends_with_the_token_of_its_client_or_when_the_gateway_drains() {
    let calls = Calls::start().await;
    let open = async |claims| {
        let (send, messages) = futures::channel::mpsc::unbounded();
        let token = calls.issuer.sign(&calls.issuer.header(), &claims);
        let mut request = Request::new(messages);
        let token = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", token);
        send.unbounded_send("hello".to_owned()).unwrap();
        let replies = calls.client.streaming("/user.Test/Echo", request).await;
        let mut replies = replies.unwrap().into_inner();
        assert_eq!(replies.message().await.unwrap().unwrap(), "hello");
        (send, replies)
    };
    let user = contracts::UserId::generate();
    let mut claims = Issuer::claims(user, &["customer"]);
    let (_send, mut long) = open(claims.clone()).await;
    assert_eq!(calls.metadata().get("x-user-id").unwrap(), &*user.to_string());
    claims["exp"] = (chrono::Utc::now().timestamp() + 2).into();
    let (_send, mut short) = open(claims).await;
    let status = tokio::time::timeout(Duration::from_secs(6), short.message())
        .await
        .unwrap();
    assert_eq!(status.unwrap_err().code(), Code::Unauthenticated);
    calls.gateway.drain();
    let status = tokio::time::timeout(Duration::from_secs(3), long.message())
        .await
        .unwrap();
    assert_eq!(status.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_call_reaches_a_service_that_has_restarted() {
    let address = free_port();
    let (seen, first) = rpc_service::serve(listen_at(address));
    let calls = Calls::start_before(address, seen).await;
    for _ in 0..3 {
        calls.echo("/test.Test/Echo").await.unwrap();
    }
    first.abort();
    let _ = first.await;
    let (_, _second) = rpc_service::serve(listen_at(address));
    // Connections of the first server stay open until their tasks end with it; a call on one of them may still succeed.
    for _ in 0..3 {
        calls.echo("/test.Test/Echo").await.unwrap();
    }
}

#[tokio::test]
async fn the_status_of_a_call_is_counted() {
    let calls = Calls::start().await;
    calls.status("/short.Test/Fail", "10").await;
    let series = "gateway_grpc_calls_total{route=\"/short.Test/{method}\",grpc_status=\"10\"} 1";
    testkit::eventually("the metric", Duration::from_secs(5), async || {
        telemetry::metrics::encode().contains(series).then_some(())
    })
    .await;
}

#[test]
fn options_that_do_not_fit_calls_are_errors() {
    let yaml = |route: &str, policy: &str| {
        format!(
            "version: 1\nlisteners: {{edge: {{bind: \"127.0.0.1:0\"}}}}\nupstreams: {{calls: {{discover: {{static: [\"127.0.0.1:1\"]}}, protocol: grpc}}}}\n\
             policies: {{open: [anonymous{policy}]}}\nroutes:\n  calls: {{match: {{path: \"/x.Y/{{method}}\", methods: [{route}}}"
        )
    };
    let error = |route: &str, policy: &str| {
        let checked = Config::parse(&yaml(route, policy), |_| None)
            .and_then(|config| gateway::snapshot::check(&config));
        checked.expect_err(route).to_string()
    };
    let get = error("GET]}, use: [open], to: calls", "");
    assert!(get.starts_with("line 6, column 25: `calls` speaks gRPC"), "{get}");
    let socket = error("POST]}, use: [open], to: calls, websocket: {idle: 5s}", "");
    assert!(socket.contains("excludes `websocket`"), "{socket}");
    let retry = error("POST]}, use: [open], to: calls", ", {retry: {max: 1}}");
    assert!(retry.contains("contain `retry`"), "{retry}");
}
