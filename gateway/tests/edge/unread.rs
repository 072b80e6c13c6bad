//! Responses that an HTTP/2 client does not read, while it keeps its connection alive.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::State, routing::get};
use bytes::Bytes;

use crate::harness::front;

/// The number of responses that have not ended.
#[derive(Debug, Clone, Default)]
struct Open(Arc<AtomicUsize>);

/// Counts a response until it is dropped.
struct Counted(Open);

impl Open {
    fn count(self) -> Counted {
        self.0.fetch_add(1, SeqCst);
        Counted(self)
    }

    fn number(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, SeqCst);
    }
}

/// Responds without end, so that only the client or the gateway can end the response.
async fn endless(State(open): State<Open>) -> Body {
    let chunks = futures::stream::unfold(open.count(), |counted| async {
        Some((
            Ok::<_, std::io::Error>(Bytes::from_static(&[0; 16 << 10])),
            counted,
        ))
    });
    Body::from_stream(chunks)
}

/// Three lines, with pauses that are longer than the limit for clients.
async fn pausing() -> Body {
    let lines = futures::stream::unfold(0, |count| async move {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        (count < 3).then(|| (Ok::<_, std::io::Error>(format!("{count}\n")), count + 1))
    });
    Body::from_stream(lines)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_http2_stream_that_its_client_does_not_read_is_reset() {
    let open = Open::default();
    let upstream = Router::new()
        .route("/endless", get(endless))
        .route("/pausing", get(pausing))
        .fallback(async || "hello")
        .with_state(open.clone());
    let front = front(
        upstream,
        "limits: {stall: 1s}\n\
         policies: {open: [anonymous]}\n\
         routes: {all: {match: {path: \"/{*rest}\", methods: [GET]}, use: [open], to: backend, idle: 1m}}\n",
    )
    .await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let get = async |path: &str| client.get(format!("{}{path}", front.url)).send().await.unwrap();

    let pausing = get("/pausing").await;
    let (mut slow, mut unread) = (get("/endless").await, get("/endless").await);
    assert_eq!(open.number(), 2);
    // The window of a stream is megabytes here, so the slow client has to read much before it is waited for again.
    testkit::eventually(
        "the unread stream is reset",
        Duration::from_secs(30),
        async || {
            for _ in 0..64 {
                let _ = slow
                    .chunk()
                    .await
                    .expect("a client that reads is served")
                    .unwrap();
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            (open.number() == 1).then_some(())
        },
    )
    .await;
    // What had arrived before can still be read.
    let end = loop {
        match unread.chunk().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(end.is_err());
    assert_eq!(pausing.text().await.unwrap(), "0\n1\n2\n");
    assert_eq!(get("/hello").await.text().await.unwrap(), "hello");
    drop(slow);
    testkit::eventually("the other response ends", Duration::from_secs(10), async || {
        (open.number() == 0).then_some(())
    })
    .await;
}
