//! Validation and limits of requests, and how responses are passed on.

use std::time::Duration;

use crate::harness::{assert_problem, edge};

#[tokio::test]
async fn bodies_with_and_without_a_length_are_limited() {
    let edge = edge().await;
    let big = vec![b'x'; 65 * 1024];
    let url = format!("{}/sink", edge.url);
    let with_length = edge.client.post(&url).body(big.clone()).send().await.unwrap();
    assert_eq!(with_length.status(), 413);
    let chunks = futures::stream::iter(
        big.chunks(1024)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect::<Vec<_>>(),
    );
    let chunked = edge
        .client
        .post(&url)
        .body(reqwest::Body::wrap_stream(chunks))
        .send()
        .await
        .unwrap();
    assert_eq!(chunked.status(), 413);
    let fits = edge
        .client
        .post(&url)
        .body(vec![b'x'; 64 * 1024])
        .send()
        .await
        .unwrap();
    assert_eq!(fits.status(), 200);
}

#[tokio::test]
async fn malformed_and_slow_requests_are_rejected() {
    let edge = edge().await;
    let both =
        "POST /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let turned =
        "POST /sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n";
    for request in [both, turned] {
        let answer = edge.raw(request).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    assert!(
        edge.raw("TRACE /echo HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 405")
    );
    assert!(
        edge.raw("GET /echo HTTP/1.1\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400"),
        "no Host"
    );
    let started = std::time::Instant::now();
    edge.raw("GET /echo HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    assert!(
        started.elapsed() < Duration::from_millis(2900),
        "an incomplete head times out"
    );
    assert_problem(edge.get("/nowhere").await, 404);
    let wrong = edge
        .client
        .delete(format!("{}/echo", edge.url))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            wrong.status().as_u16(),
            wrong.headers()["allow"].to_str().unwrap()
        ),
        (405, "GET, HEAD, POST")
    );
}

#[tokio::test]
async fn paths_and_hosts_have_one_meaning() {
    let edge = edge().await;
    for refused in [
        "GET /echo HTTP/1.0\r\nHost: a.test\r\nHost: b.test\r\n\r\n",
        "GET http://shop.test/echo HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\nConnection: close\r\n\r\n",
        "GET http://me@shop.test/echo HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n",
    ] {
        let answer = edge.raw(refused).await;
        assert!(answer.contains(" 400 "), "{refused}{answer}");
    }
    for path in ["/%65cho", "/ech%6F?a=%61"] {
        assert_eq!(edge.get(path).await.0, 200, "{path}");
    }
    for path in ["/%2e/echo", "/ech%6", "/ech%zz"] {
        let answer = edge
            .raw(&format!(
                "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    // The host of the request's target takes precedence (RFC 9112, section 3.2.2).
    let target = "GET http://shop.test/echo HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n";
    let answer = edge.raw(target).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("shop.test") && !answer.contains("evil.test"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_response_to_head_has_a_length_and_no_body_over_http2_either() {
    let edge = edge().await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    for (path, status) in [("/echo", 200), ("/nowhere", 404)] {
        let answer = client.head(format!("{}{path}", edge.url)).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_ne!(answer.headers()["content-length"], "0");
        assert_eq!(answer.bytes().await.unwrap(), "");
    }
}

#[tokio::test]
async fn slow_and_unreachable_upstreams_give_504_and_503() {
    let edge = edge().await;
    assert_problem(edge.get("/slow").await, 504);
    let answer = edge
        .client
        .get(format!("{}/down", edge.url))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn a_quota_is_announced_and_enforced() {
    let edge = edge().await;
    let url = format!("{}/few/1", edge.url);
    for _ in 0..2 {
        let answer = edge.client.get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(
            answer.headers().contains_key("ratelimit") && answer.headers().contains_key("ratelimit-policy")
        );
    }
    let refused = edge.client.get(&url).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn streams_are_not_buffered_and_may_exceed_the_deadline() {
    use futures::StreamExt;
    let edge = edge().await;
    let answer = edge
        .client
        .get(format!("{}/stream", edge.url))
        .send()
        .await
        .unwrap();
    let (mut body, mut pieces, started) = (answer.bytes_stream(), vec![], std::time::Instant::now());
    while let Some(piece) = body.next().await {
        pieces.push((started.elapsed(), piece.expect("the stream continues")));
    }
    assert!(pieces.len() >= 3, "{pieces:?}");
    assert!(
        pieces[0].0 < Duration::from_millis(250),
        "the first piece arrives immediately: {pieces:?}"
    );
}

#[tokio::test]
async fn an_error_response_of_an_upstream_is_passed_on() {
    let edge = edge().await;
    let answer = edge
        .client
        .post(format!("{}/picky", edge.url))
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 415);
    assert_eq!(answer.text().await.unwrap(), r#"{"title": "its own"}"#);
}

#[tokio::test]
async fn pages_of_allowed_origins_may_read_responses() {
    let edge = edge().await;
    let send = |method: reqwest::Method, origin: &'static str| {
        let request = edge.client.request(method, format!("{}/pages", edge.url));
        request
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .send()
    };
    let answer = send(reqwest::Method::GET, "http://shop.test").await.unwrap();
    assert_eq!(
        answer.headers()["access-control-allow-origin"],
        "http://shop.test"
    );
    let vary: Vec<_> = answer.headers().get_all("vary").iter().collect();
    assert_eq!(vary, ["accept-encoding", "origin"]);
    let preflight = send(reqwest::Method::OPTIONS, "http://shop.test").await.unwrap();
    assert_eq!(preflight.status(), 204);
    assert_eq!(
        preflight.headers()["access-control-allow-methods"],
        "GET, HEAD, POST"
    );
    let stranger = send(reqwest::Method::OPTIONS, "http://evil.test").await.unwrap();
    assert!(!stranger.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn an_error_response_arrives_while_the_body_is_still_being_sent() {
    let edge = edge().await;
    // Far more than the buffers of a connection hold, so the client is still sending when the response arrives.
    let big = vec![b'x'; 4 << 20];
    for _ in 0..20 {
        let with_length = edge
            .client
            .post(format!("{}/sink", edge.url))
            .body(big.clone())
            .send()
            .await;
        assert_eq!(with_length.expect("a response, not a reset").status(), 413);
        let chunks: Vec<_> = big
            .chunks(64 << 10)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect();
        let stream = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
        let chunked = edge
            .client
            .post(format!("{}/sink", edge.url))
            .body(stream)
            .send()
            .await;
        assert_eq!(chunked.expect("a response, not a reset").status(), 413);
        let nowhere = edge
            .client
            .post(format!("{}/nowhere", edge.url))
            .body(vec![b'x'; 60 << 10])
            .send()
            .await;
        assert_eq!(nowhere.expect("a response, not a reset").status(), 404);
    }
}

#[tokio::test]
async fn a_stream_ends_without_an_error_when_the_gateway_drains() {
    let edge = edge().await;
    let mut stream = edge
        .client
        .get(format!("{}/stream", edge.url))
        .send()
        .await
        .unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "data: 0\n\n");
    edge.gateway.drain();
    let mut rest = String::new();
    // A broken connection would be an error here.
    while let Some(more) = stream.chunk().await.unwrap() {
        rest.push_str(&String::from_utf8_lossy(&more));
    }
    assert!(!rest.contains("data: 2"), "the stream continued: {rest}");
}

#[tokio::test]
async fn upstreams_are_listed_with_their_requests_and_failures() {
    let edge = edge().await;
    for path in ["/echo", "/down"] {
        edge.get(path).await;
    }
    let (status, report) = edge.get("/upstreams").await;
    assert_eq!(status, 200);
    let of = |name: &str| {
        let items = report["items"].as_array().unwrap();
        items.iter().find(|item| item["name"] == name).unwrap()["instances"][0].clone()
    };
    assert_eq!(
        (&of("backend")["failures"], &of("backend")["in_flight"]),
        (&0.into(), &0.into())
    );
    assert!(of("backend")["requests"].as_u64().unwrap() >= 1);
    assert_eq!(of("down")["failures"], 1, "a refused connection counts");
    assert!(of("down")["last_failure"]["reason"].is_string());
}

#[tokio::test]
async fn best_effort_requests_are_accepted_when_the_upstream_is_unreachable() {
    let edge = edge().await;
    let url = format!("{}/dropped", edge.url);
    let answer = edge.client.post(&url).body("{}").send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
        (202, "")
    );
    let big = edge
        .client
        .post(&url)
        .body(vec![b'x'; 65 * 1024])
        .send()
        .await
        .unwrap();
    assert_eq!(big.status(), 413);
}
