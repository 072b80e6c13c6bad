//! Malformed and incomplete bodies are the client's error and do not affect other clients.

use tokio::io::AsyncWriteExt as _;

use crate::harness::{Edge, connect, edge, rest};

const CHUNKED: &str = "POST /sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

/// How the test sends a body.
#[derive(Debug, Clone, Copy)]
enum Upload {
    /// Send this body in one piece with the head.
    AtOnce(&'static str),
    /// Send this piece after the upstream has begun to read.
    Later(&'static str),
    /// Send this incomplete request and close the sending side.
    Incomplete(&'static str),
}

async fn send(edge: &Edge, upload: Upload) -> String {
    let mut stream = connect(&edge.url).await;
    let pause = || tokio::time::sleep(std::time::Duration::from_millis(50));
    match upload {
        Upload::AtOnce(body) => stream
            .write_all(format!("{CHUNKED}{body}").as_bytes())
            .await
            .unwrap(),
        Upload::Later(body) => {
            stream
                .write_all(format!("{CHUNKED}5\r\nhello\r\n").as_bytes())
                .await
                .unwrap();
            pause().await;
            stream.write_all(body.as_bytes()).await.unwrap();
        }
        Upload::Incomplete(head) => {
            stream.write_all(head.as_bytes()).await.unwrap();
            pause().await;
            stream.shutdown().await.unwrap();
        }
    }
    rest(stream).await
}

#[tokio::test]
async fn malformed_and_incomplete_uploads_are_400_and_the_route_stays_available() {
    let edge = edge().await;
    let uploads = [
        Upload::AtOnce("zz\r\nhello\r\n0\r\n\r\n"),
        Upload::AtOnce("5\r\nhello!!\r\n0\r\n\r\n"),
        Upload::AtOnce("05\r\nhello\r\n0\r\n\r\n"),
        Upload::AtOnce("5 \r\nhello\r\n0\r\n\r\n"),
        Upload::Later("zz\r\n"),
        Upload::Later(
            "00000000000000000000000000000000000000000000000000000000000000000000005\r\nhello\r\n0\r\n\r\n",
        ),
        Upload::Later("fffffffffffffffff\r\n"),
        Upload::Incomplete("POST /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello"),
        Upload::Incomplete("POST /sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        Upload::Incomplete(
            "POST /sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        ),
    ];
    for upload in std::iter::repeat_n(uploads, 4).flatten() {
        let answer = send(&edge, upload).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{upload:?}: {answer}");
        assert!(
            answer.contains("application/problem+json"),
            "{upload:?}: {answer}"
        );
    }
    let url = format!("{}/sink", edge.url);
    for _ in 0..20 {
        assert_eq!(
            edge.client
                .post(&url)
                .body("hello")
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
    let (_, report) = edge.get("/upstreams").await;
    let items = report["items"].as_array().unwrap();
    let backend = items.iter().find(|item| item["name"] == "backend").unwrap();
    let breaker = backend["breakers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|breaker| breaker["route"] == "sink")
        .unwrap();
    assert_eq!(
        (&breaker["state"], &breaker["calls"]),
        (&"closed".into(), &20.into())
    );
    assert_eq!(backend["instances"][0]["failures"], 0);
}

#[tokio::test]
async fn lengths_that_are_not_plain_numbers_are_rejected() {
    let edge = edge().await;
    let padded = " ".repeat(60);
    for length in [
        "05",
        "+5",
        "5, 5",
        "5 5",
        "5\r\nContent-Length: 5",
        &format!("{padded}5"),
        "99999999999999999999",
    ] {
        let answer = edge
            .raw(&format!(
                "POST /sink HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nhello"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{length:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{length:?}: {answer}");
    }
    let answer = edge
        .raw("POST /sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}
