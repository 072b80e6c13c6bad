//! gRPC-Web: calls of browsers over HTTP/1.1, in both encodings.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Response;

use crate::{
    harness::{free_port, start},
    rpc_service::service,
};

struct Web {
    url: String,
    client: reqwest::Client,
    _stop: tokio_util::sync::DropGuard,
}

impl Web {
    async fn start() -> Self {
        let ((service, _), bind) = (service().await, free_port());
        let stop = start(&format!(
            r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
upstreams: {{test: {{discover: {{static: ["{service}"]}}, protocol: grpc}}}}
policies: {{pages: [anonymous, {{cors: {{origins: ["http://shop.test"], max_age: 60s}}}}], user: [{{basic: {{users: {{}}}}}}]}}
routes:
  calls: {{match: {{path: "/test.Test/{{method}}", methods: [POST]}}, use: [pages], to: test}}
  user: {{match: {{path: "/user.Test/{{method}}", methods: [POST]}}, use: [pages, user], to: test}}
"#
        ));
        Self {
            url: format!("http://{bind}"),
            client: reqwest::Client::new(),
            _stop: stop,
        }
    }

    async fn call(&self, path: &str, content: &str, body: impl Into<reqwest::Body>) -> Response {
        let request = self.client.post(format!("{}{path}", self.url));
        let request = request
            .header("content-type", content)
            .header("x-grpc-web", "1")
            .header("origin", "http://shop.test");
        request.body(body).send().await.unwrap()
    }
}

/// A frame of a body: a message (0) or the trailers (128).
fn frame(kind: u8, data: &str) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&[kind], &length[..], data.as_bytes()].concat()
}

/// The frames of a body.
fn frames(mut body: &[u8]) -> Vec<(u8, String)> {
    let mut frames = vec![];
    while let [kind, a, b, c, d, rest @ ..] = body {
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap();
        frames.push((*kind, String::from_utf8(rest[..length].to_vec()).unwrap()));
        body = &rest[length..];
    }
    assert!(body.is_empty(), "{body:?}");
    frames
}

/// Decodes base64 with padding inside.
fn decode(text: &str) -> Vec<u8> {
    let groups = text.as_bytes().chunks(4);
    groups
        .flat_map(|group| BASE64_STANDARD.decode(group).unwrap())
        .collect()
}

#[tokio::test]
async fn messages_and_trailers_are_translated_in_both_encodings() {
    let web = Web::start().await;
    let answer = web
        .call("/test.Test/Count", "application/grpc-web+proto", frame(0, "2"))
        .await;
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, reqwest::Version::HTTP_11)
    );
    assert_eq!(answer.headers()["content-type"], "application/grpc-web");
    assert_eq!(answer.headers()["x-head"], "of the service");
    let own = "grpc-status: 0\r\n".to_owned();
    let expected = [(0, "0".to_owned()), (0, "1".to_owned()), (128, own.clone())];
    assert_eq!(frames(&answer.bytes().await.unwrap()), expected);

    let text = BASE64_STANDARD.encode(frame(0, "2"));
    let answer = web
        .call("/test.Test/Count", "application/grpc-web-text", text)
        .await;
    assert_eq!(answer.headers()["content-type"], "application/grpc-web-text");
    assert_eq!(frames(&decode(&answer.text().await.unwrap())), expected);
}

#[tokio::test]
async fn a_status_is_in_the_last_frame_with_its_metadata() {
    let web = Web::start().await;
    for method in ["Fail", "FailLater"] {
        let path = format!("/test.Test/{method}");
        let answer = web.call(&path, "application/grpc-web", frame(0, "7")).await;
        assert_eq!(answer.status(), 200);
        let is_early = answer.headers().contains_key("x-tail");
        let frames = frames(&answer.bytes().await.unwrap());
        let (kind, trailers) = frames.last().unwrap();
        assert_eq!(*kind, 128);
        assert!(trailers.contains("grpc-status: 7\r\n"), "{trailers}");
        assert!(
            trailers.contains("grpc-message: as%20wished,%20100%20%25\r\n"),
            "{trailers}"
        );
        assert!(
            trailers.contains("grpc-status-details-bin: AQID\r\n"),
            "{trailers}"
        );
        assert!(
            is_early || trailers.contains("x-tail: of the service\r\n"),
            "{trailers}"
        );
    }
}

#[tokio::test]
async fn errors_of_the_gateway_are_statuses_that_pages_of_allowed_origins_can_read() {
    let web = Web::start().await;
    for (path, status) in [
        ("/user.Test/Echo", "grpc-status: 16"),
        ("/none", "grpc-status: 12"),
    ] {
        let answer = web.call(path, "application/grpc-web", frame(0, "x")).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/grpc-web");
        if path != "/none" {
            assert_eq!(
                answer.headers()["access-control-allow-origin"],
                "http://shop.test"
            );
            let exposed = answer.headers()["access-control-expose-headers"]
                .to_str()
                .unwrap();
            assert!(exposed.contains("grpc-status"), "{exposed}");
        }
        let frames = frames(&answer.bytes().await.unwrap());
        assert!(
            matches!(&frames[..], [(128, text)] if text.starts_with(status)),
            "{frames:?}"
        );
    }
    let invalid = web
        .call("/test.Test/Echo", "application/grpc-web-text", "????")
        .await;
    let frames = frames(&decode(&invalid.text().await.unwrap()));
    assert!(frames[0].1.starts_with("grpc-status: 3"), "{frames:?}");
}

#[tokio::test]
async fn a_browser_may_ask_first() {
    let web = Web::start().await;
    let request = web
        .client
        .request(reqwest::Method::OPTIONS, format!("{}/test.Test/Echo", web.url))
        .header("origin", "http://shop.test")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "content-type,x-grpc-web,grpc-timeout",
        );
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(
        answer.headers()["access-control-allow-headers"],
        "content-type,x-grpc-web,grpc-timeout"
    );
}
