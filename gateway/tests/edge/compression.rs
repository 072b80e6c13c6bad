//! Compressed responses.

use std::{
    io::{Read as _, Write as _},
    time::Duration,
};

use axum::{Router, body::Body, http::HeaderMap, response::IntoResponse, routing::get};

use crate::harness::{Front, front, front_error};

/// A text that compresses well, of about 100 KB.
fn text() -> String {
    (0..10_000).fold(String::new(), |text, line| text + &format!("line {line}\n"))
}

fn rest(rules: &str) -> String {
    format!(
        "policies: {{p: [anonymous, {{compress: {rules}}}]}}
routes: {{all: {{match: {{path: \"/{{*path}}\", methods: [GET]}}, use: [p], to: backend, idle: 10s}}}}"
    )
}

async fn edge(rules: &str) -> Front {
    let html = |fields: &[(&'static str, &'static str)], body: String| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "text/html; charset=utf-8".parse().unwrap());
        for (name, value) in fields {
            headers.insert(*name, value.parse().unwrap());
        }
        (headers, body).into_response()
    };
    let events = || async {
        let lines = futures::stream::unfold(0, |count| async move {
            if count > 0 {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            (count < 3).then(|| (Ok::<_, std::io::Error>(format!("data: {count}\n\n")), count + 1))
        });
        ([("content-type", "text/event-stream")], Body::from_stream(lines))
    };
    let router = Router::new()
        .route(
            "/page",
            get(move || async move {
                html(
                    &[("etag", "\"v1\""), ("accept-ranges", "bytes"), ("vary", "cookie")],
                    text(),
                )
            }),
        )
        .route(
            "/small",
            get(move || async move { html(&[], "small".to_owned()) }),
        )
        .route(
            "/kept",
            get(move || async move { html(&[("cache-control", "public, no-transform")], text()) }),
        )
        .route(
            "/compressed",
            get(move || async move { html(&[("content-encoding", "br")], text()) }),
        )
        .route(
            "/part",
            get(move || async move {
                let response = html(&[("content-range", "bytes 0-99/1000")], text());
                (axum::http::StatusCode::PARTIAL_CONTENT, response)
            }),
        )
        .route(
            "/picture",
            get(|| async { ([("content-type", "image/png")], text()) }),
        )
        .route(
            "/chunked",
            get(|| async {
                let parts = ["a".repeat(5_000), "b".repeat(5_000)].map(Ok::<_, std::io::Error>);
                let body = Body::from_stream(futures::stream::iter(parts));
                ([("content-type", "application/json")], body)
            }),
        )
        .route("/events", get(events));
    front(router, &rest(rules)).await
}

fn decompress(coding: &str, data: &[u8]) -> String {
    let mut text = String::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(data).read_to_string(&mut text),
        "br" => brotli::Decompressor::new(data, 4096).read_to_string(&mut text),
        "zstd" => zstd::Decoder::new(data).unwrap().read_to_string(&mut text),
        other => panic!("{other}"),
    }
    .unwrap();
    text
}

fn header<'a>(answer: &'a reqwest::Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn responses_are_compressed_as_the_client_prefers() {
    let edge = edge("{}").await;
    for (accepted, coding) in [
        ("gzip", "gzip"),
        ("gzip, br", "br"),
        ("gzip, br, zstd", "zstd"),
        ("gzip;q=0.9, br;q=0.8", "gzip"),
    ] {
        let answer = edge.get("/page", &[("accept-encoding", accepted)]).await;
        assert_eq!(header(&answer, "content-encoding"), Some(coding), "{accepted}");
        assert_eq!(header(&answer, "etag"), Some("W/\"v1\""));
        assert_eq!(header(&answer, "accept-ranges"), None);
        let vary: Vec<_> = answer.headers().get_all("vary").iter().collect();
        assert_eq!(vary, ["cookie", "accept-encoding"]);
        let body = answer.bytes().await.unwrap();
        assert!(body.len() < text().len() / 3, "{} bytes", body.len());
        assert_eq!(decompress(coding, &body), text());
    }
    let head = edge.client.head(format!("{}/page", edge.url));
    let head = head.header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(header(&head, "content-encoding"), Some("gzip"));
    assert_eq!(header(&head, "content-length"), None);
    assert_eq!(head.bytes().await.unwrap().len(), 0);
    let chunked = edge.get("/chunked", &[("accept-encoding", "br")]).await;
    let body = chunked.bytes().await.unwrap();
    assert_eq!(decompress("br", &body), "a".repeat(5_000) + &"b".repeat(5_000));
}

#[tokio::test]
async fn responses_stay_as_they_are_if_compression_is_not_wanted_or_not_worthwhile() {
    let edge = edge("{}").await;
    for (path, accepted) in [
        ("/page", "identity"),
        ("/page", "gzip;q=0"),
        ("/small", "gzip"),
        ("/kept", "gzip"),
        ("/part", "gzip"),
        ("/picture", "gzip"),
    ] {
        let answer = edge.get(path, &[("accept-encoding", accepted)]).await;
        assert_eq!(header(&answer, "content-encoding"), None, "{path} {accepted}");
        let varies = answer
            .headers()
            .get_all("vary")
            .iter()
            .any(|vary| vary == "accept-encoding");
        assert_eq!(varies, ["/page", "/small"].contains(&path), "{path}");
        let expected = if path == "/small" {
            "small".to_owned()
        } else {
            text()
        };
        assert_eq!(answer.text().await.unwrap(), expected, "{path}");
    }
    let answer = edge.get("/compressed", &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(&answer, "content-encoding"), Some("br"));
    assert_eq!(answer.text().await.unwrap(), text());
}

#[tokio::test]
async fn the_minimum_and_the_types_can_be_chosen() {
    let edge = edge("{min: 1B, types: [image/*]}").await;
    let coding = async |path| {
        let answer = edge.get(path, &[("accept-encoding", "gzip")]).await;
        header(&answer, "content-encoding").map(str::to_owned)
    };
    assert_eq!(coding("/picture").await.as_deref(), Some("gzip"));
    assert_eq!(coding("/page").await, None);
    let small = self::edge("{min: 1B}").await;
    let answer = small.get("/small", &[("accept-encoding", "gzip")]).await;
    assert_eq!(decompress("gzip", &answer.bytes().await.unwrap()), "small");
}

#[tokio::test]
async fn events_are_compressed_without_delay() {
    let edge = edge("{}").await;
    for coding in ["gzip", "br", "zstd"] {
        let mut answer = edge.get("/events", &[("accept-encoding", coding)]).await;
        assert_eq!(header(&answer, "content-encoding"), Some(coding));
        let started = std::time::Instant::now();
        let first = answer.chunk().await.unwrap().unwrap();
        assert!(
            started.elapsed() < Duration::from_millis(700),
            "{coding}: {:?}",
            started.elapsed()
        );
        let mut decoder = flate2::write::GzDecoder::new(vec![]);
        if coding == "gzip" {
            decoder.write_all(&first).unwrap();
            decoder.flush().unwrap();
            assert_eq!(decoder.get_ref(), b"data: 0\n\n", "the first event is complete");
        }
        let mut all = first.to_vec();
        while let Some(chunk) = answer.chunk().await.unwrap() {
            all.extend(chunk);
        }
        assert_eq!(decompress(coding, &all), "data: 0\n\ndata: 1\n\ndata: 2\n\n");
    }
}

#[test]
fn invalid_rules_are_refused_with_their_place() {
    for (rules, message) in [
        ("{types: [text]}", "`text` is not a content type"),
        ("{types: [\"*/*\"]}", "is not a content type"),
        ("{min: 5}", "expected a size such as"),
        ("{level: 5}", "unknown field `level`"),
    ] {
        let error = front_error(&rest(rules));
        assert!(
            error.starts_with("line 4, column") && error.contains(message),
            "{error}"
        );
    }
}
