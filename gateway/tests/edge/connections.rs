//! Clients that do not read, are idle, or have too many connections are disconnected, while other clients are served.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use gateway::{Gateway, config::Config, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::harness::{free_port, with_telemetry};

struct Edge {
    address: SocketAddr,
    _folder: tempfile::TempDir,
    _ends: DropGuard,
}

/// Size of a file that is larger than all buffers of a connection.
const LARGE: usize = 32 << 20;

/// A gateway with these limits and trusted proxies. `/endless` never ends, `/file` is large, and `/ok` is small.
async fn edge(limits: &str, trusted: &str) -> Edge {
    with_telemetry();
    let endless = || async {
        let piece = Bytes::from(vec![b'x'; 64 << 10]);
        Body::from_stream(futures::stream::repeat_with(move || {
            Ok::<_, std::io::Error>(piece.clone())
        }))
    };
    let router = Router::new()
        .route("/endless", get(endless))
        // More than fits into the client's receive buffer, and less than fits into the gateway's send buffer.
        .route("/page", get(|| async { vec![b'x'; 64 << 10] }))
        .route("/ok", get(|| async { "ok" }));
    let backend = testkit::spawn(router).await.replace("http://", "");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), vec![b'x'; LARGE]).unwrap();
    let bind = free_port();
    let yaml = format!(
        "version: 1\nlisteners: {{edge: {{bind: \"0.0.0.0:{}\", trusted_proxies: [{trusted}]}}}}\nlimits: {{{limits}}}\n\
         upstreams: {{backend: {{discover: {{static: [\"{backend}\"]}}}}}}\npolicies: {{open: [anonymous]}}\nroutes:\n  \
         ok: {{match: {{path: /ok, methods: [GET]}}, use: [open], to: backend}}\n  \
         page: {{match: {{path: /page, methods: [GET]}}, use: [open], to: backend}}\n  \
         endless: {{match: {{path: /endless, methods: [GET]}}, use: [open], to: backend, idle: 60s}}\n  \
         files: {{match: {{path: \"/{{*file}}\", methods: [GET]}}, use: [open], files: {{folder: \"{}\"}}}}\n",
        bind.port(),
        folder.path().display(),
    );
    let config = Config::parse(&yaml, |_| None).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let gateway = Gateway::new(config).unwrap();
    let stop = CancellationToken::new();
    gateway.spawn_background(&TaskTracker::new(), &stop);
    serve::start(&gateway, &stop).unwrap();
    Edge {
        address: bind,
        _folder: folder,
        _ends: stop.drop_guard(),
    }
}

impl Edge {
    /// A connection from 127.0.0.`last`.
    async fn connect(&self, last: u8) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        // As small as the system allows, so that few unread bytes are buffered at the client.
        socket.set_recv_buffer_size(4096).unwrap();
        let own = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        socket.bind(SocketAddr::new(own, 0)).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Sends a request from 127.0.0.`last`, and does not read the response.
    async fn request(&self, last: u8, path: &str) -> TcpStream {
        let mut stream = self.connect(last).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Whether a request from 127.0.0.`last` gets a response.
    async fn serves(&self, last: u8) -> bool {
        let status = self.status_line(last).await;
        status.is_ok_and(|line| line == "HTTP/1.1 200 OK")
    }

    /// The beginning of the response to a request from 127.0.0.`last`. A connection that is refused may be closed or reset.
    async fn status_line(&self, last: u8) -> std::io::Result<String> {
        let mut stream = self.request(last, "/ok").await;
        let mut line = [0; 15];
        stream.read_exact(&mut line).await?;
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}

/// Whether the gateway has closed the connection, without reading from it.
async fn is_closed(stream: &TcpStream) -> bool {
    stream.take_error().unwrap().is_some() || {
        let ready = stream.ready(tokio::io::Interest::READABLE);
        let ready = tokio::time::timeout(Duration::from_millis(20), ready).await;
        matches!(ready, Ok(Ok(ready)) if ready.is_read_closed())
    }
}

/// Waits until all connections are closed, at most for `time`.
async fn assert_closed_within(streams: &[TcpStream], time: Duration) {
    let started = Instant::now();
    for (number, stream) in streams.iter().enumerate() {
        while !is_closed(stream).await {
            assert!(started.elapsed() < time, "connection {number} is still open");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn four_hundred_clients_that_never_read_are_disconnected_while_others_are_served() {
    let edge = edge("stall: 3s, header_time: 3s", "").await;
    let mut streams = vec![];
    for number in 0..400 {
        let path = ["/endless", "/file", "/page", "/ok"][number % 4];
        streams.push(edge.request(1, path).await);
    }
    let started = Instant::now();
    for last in [1, 2] {
        for _ in 0..20 {
            let status = edge.status_line(last).await;
            assert!(matches!(status.as_deref(), Ok("HTTP/1.1 200 OK")), "{status:?}");
        }
    }
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    // Closing takes little more than the limit; the rest is reserve for a busy machine.
    assert_closed_within(&streams, Duration::from_secs(20)).await;
}

/// A closing connection whose client does not read counts towards the limit until it is really closed.
#[tokio::test]
async fn an_unread_response_is_reset_at_the_end_and_counts_until_then() {
    let limits = "stall: 4s, header_time: 1s, connections_per_address: 1";
    let edge = edge(limits, "").await;
    let unread = edge.request(1, "/page").await;
    // By then the gateway has written everything and has begun to close the idle connection.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!edge.serves(1).await, "the connection still counts");
    assert_closed_within(&[unread], Duration::from_secs(10)).await;
    testkit::eventually(
        "the connection no longer counts",
        Duration::from_secs(5),
        async || edge.serves(1).await.then_some(()),
    )
    .await;
}

/// Closing a connection must not truncate the response of a client that still reads.
#[tokio::test]
async fn a_client_that_reads_late_gets_its_whole_response() {
    let edge = edge("stall: 8s, header_time: 1s", "").await;
    let mut stream = edge.request(1, "/page").await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let mut answer = vec![];
    stream.read_to_end(&mut answer).await.expect("no reset");
    assert!(answer.len() > 64 << 10, "{}", answer.len());
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_served() {
    let edge = edge("stall: 3s", "").await;
    let mut stream = edge.request(1, "/endless").await;
    let (mut buffer, started) = (vec![0; 64 << 10], Instant::now());
    while started.elapsed() < Duration::from_secs(8) {
        // Far slower than the gateway can send.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_ne!(stream.read(&mut buffer).await.expect("the response continues"), 0);
    }
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let edge = edge("header_time: 1s", "").await;
    let silent = edge.connect(1).await;
    let mut used = edge.request(1, "/ok").await;
    let mut answer = vec![];
    let read = tokio::time::timeout(Duration::from_secs(5), used.read_to_end(&mut answer)).await;
    read.expect("the connection is closed after its response")
        .unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert_closed_within(&[silent], Duration::from_secs(5)).await;
}

/// The kernel chooses the core of a connection, so the first address opens enough connections to fill every core.
#[tokio::test]
async fn an_address_cannot_take_every_connection_of_a_core() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let edge = edge(&format!("connections: {}, header_time: 60s", 4 * cores), "").await;
    let mut open = vec![];
    for _ in 0..40 * cores {
        open.push(edge.connect(1).await);
    }
    for _ in 0..20 {
        let served = tokio::time::timeout(Duration::from_secs(5), edge.serves(2)).await;
        assert!(served.expect("the connection does not wait in the accept queue"));
    }
}

#[tokio::test]
async fn connections_per_address_are_limited() {
    let edge = edge("connections_per_address: 8, header_time: 60s", "127.0.0.3/32").await;
    let mut open = vec![];
    for _ in 0..8 {
        open.push(edge.request(1, "/ok").await);
    }
    for stream in &mut open {
        assert_eq!(stream.read_u8().await.unwrap(), b'H');
    }
    assert!(
        !edge.serves(1).await,
        "the ninth connection is refused, whichever core gets it"
    );
    assert!(edge.serves(2).await, "another address is served");
    for _ in 0..20 {
        open.push(edge.request(3, "/ok").await);
    }
    assert!(edge.serves(3).await, "a trusted proxy has no limit");
    drop(open);
    testkit::eventually(
        "the closed connections no longer count",
        Duration::from_secs(10),
        async || edge.serves(1).await.then_some(()),
    )
    .await;
    assert!(telemetry::metrics::encode().contains("gateway_connections_refused_total{reason=\"address\"}"));
}
