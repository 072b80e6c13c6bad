//! Clients that do not read, do nothing, or have too many connections are disconnected, and the others are served meanwhile.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use gateway::{Gateway, config::Config, listen};
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

/// More than the buffers of a connection hold.
const LARGE: usize = 32 << 20;

/// A gateway with these limits and trusted proxies. `/endless` never ends, `/file` is large, `/ok` is small.
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
        // More than a client that does not read takes, and less than the gateway's side of the connection holds.
        .route("/page", get(|| async { vec![b'x'; 64 << 10] }))
        .route("/ok", get(|| async { "ok" }));
    let there = testkit::spawn(router).await.replace("http://", "");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), vec![b'x'; LARGE]).unwrap();
    let bind = free_port();
    let yaml = format!(
        "version: 1\nlisteners: {{edge: {{bind: \"0.0.0.0:{}\", trusted_proxies: [{trusted}]}}}}\nlimits: {{{limits}}}\n\
         upstreams: {{there: {{discover: {{static: [\"{there}\"]}}}}}}\npolicies: {{open: [anonymous]}}\nroutes:\n  \
         ok: {{match: {{path: /ok, methods: [GET]}}, use: [open], to: there}}\n  \
         page: {{match: {{path: /page, methods: [GET]}}, use: [open], to: there}}\n  \
         endless: {{match: {{path: /endless, methods: [GET]}}, use: [open], to: there, idle: 60s}}\n  \
         files: {{match: {{path: \"/{{*file}}\", methods: [GET]}}, use: [open], files: {{folder: \"{}\"}}}}\n",
        bind.port(),
        folder.path().display(),
    );
    let config = Config::parse(&yaml, |_| None).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let gateway = Gateway::new(config).unwrap();
    let stop = CancellationToken::new();
    gateway.spawn_background(&TaskTracker::new(), &stop);
    listen::start(&gateway, &stop).unwrap();
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
        // The least that the system allows, so that little fits between a gateway and a client that does not read.
        socket.set_recv_buffer_size(4096).unwrap();
        let own = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        socket.bind(SocketAddr::new(own, 0)).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    async fn ask(&self, last: u8, path: &str) -> TcpStream {
        let mut stream = self.connect(last).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Whether a request from 127.0.0.`last` is answered.
    async fn serves(&self, last: u8) -> bool {
        let mut stream = self.ask(last, "/ok").await;
        let mut head = [0; 15];
        // A connection that is refused may be closed or reset.
        stream.read_exact(&mut head).await.is_ok() && head == *b"HTTP/1.1 200 OK"
    }
}

/// Whether the gateway has ended the connection, seen without reading from it.
async fn is_gone(stream: &TcpStream) -> bool {
    stream.take_error().unwrap().is_some() || {
        let ready = stream.ready(tokio::io::Interest::READABLE);
        let ready = tokio::time::timeout(Duration::from_millis(20), ready).await;
        matches!(ready, Ok(Ok(ready)) if ready.is_read_closed())
    }
}

async fn gone_within(streams: &[TcpStream], time: Duration) {
    let started = Instant::now();
    for (number, stream) in streams.iter().enumerate() {
        while !is_gone(stream).await {
            assert!(started.elapsed() < time, "connection {number} is still there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn four_hundred_clients_that_never_read_are_gone_and_others_are_served_at_once() {
    let edge = edge("stall: 3s, header_time: 1s", "").await;
    let mut streams = vec![];
    for number in 0..400 {
        let path = ["/endless", "/file", "/page", "/ok"][number % 4];
        streams.push(edge.ask(1, path).await);
    }
    let started = Instant::now();
    for last in [1, 2] {
        for _ in 0..20 {
            assert!(edge.serves(last).await);
        }
    }
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    // Each needs the limit and a moment; the rest is for a busy machine.
    gone_within(&streams, Duration::from_secs(20)).await;
}

/// A connection that is closed while its client does not read is not given away to others before it is really gone.
#[tokio::test]
async fn an_answer_that_is_left_unread_at_the_end_is_reset_and_counts_until_then() {
    let limits = "stall: 4s, header_time: 1s, connections_per_address: 1";
    let edge = edge(limits, "").await;
    let unread = edge.ask(1, "/page").await;
    // The gateway has written everything, and closes when no other request comes.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!edge.serves(1).await, "its place is taken");
    gone_within(&[unread], Duration::from_secs(10)).await;
    testkit::eventually("its place is free", Duration::from_secs(5), async || {
        edge.serves(1).await.then_some(())
    })
    .await;
}

/// Closing a connection on a client that still reads must not cost it the end of its answer.
#[tokio::test]
async fn a_client_that_reads_late_gets_all_of_its_answer() {
    let edge = edge("stall: 8s, header_time: 1s", "").await;
    let mut stream = edge.ask(1, "/page").await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let mut answer = vec![];
    stream.read_to_end(&mut answer).await.expect("no reset");
    assert!(answer.len() > 64 << 10, "{}", answer.len());
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_served() {
    let edge = edge("stall: 3s", "").await;
    let mut stream = edge.ask(1, "/endless").await;
    let (mut buffer, started) = (vec![0; 64 << 10], Instant::now());
    while started.elapsed() < Duration::from_secs(8) {
        // Far slower than the gateway could send.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_ne!(stream.read(&mut buffer).await.expect("it goes on"), 0);
    }
}

#[tokio::test]
async fn idle_connections_end() {
    let edge = edge("header_time: 1s", "").await;
    let silent = edge.connect(1).await;
    let mut used = edge.ask(1, "/ok").await;
    let mut answer = vec![];
    let read = tokio::time::timeout(Duration::from_secs(5), used.read_to_end(&mut answer)).await;
    read.expect("it ends after its answer").unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    gone_within(&[silent], Duration::from_secs(5)).await;
}

/// The kernel chooses the core of a connection, so the first of these addresses has enough of them for every core.
#[tokio::test]
async fn an_address_cannot_take_every_connection_of_a_core() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let edge = edge(&format!("connections: {}, header_time: 60s", 4 * cores), "").await;
    let mut kept = vec![];
    for _ in 0..40 * cores {
        kept.push(edge.connect(1).await);
    }
    for _ in 0..20 {
        let served = tokio::time::timeout(Duration::from_secs(5), edge.serves(2)).await;
        assert!(served.expect("it waits in no queue"));
    }
}

#[tokio::test]
async fn an_address_has_its_share_of_the_connections() {
    let edge = edge("connections_per_address: 8, header_time: 60s", "127.0.0.3/32").await;
    let mut kept = vec![];
    for _ in 0..8 {
        kept.push(edge.ask(1, "/ok").await);
    }
    for stream in &mut kept {
        assert_eq!(stream.read_u8().await.unwrap(), b'H');
    }
    assert!(
        !edge.serves(1).await,
        "the ninth is refused, whichever core gets it"
    );
    assert!(edge.serves(2).await, "another address is served");
    for _ in 0..20 {
        kept.push(edge.ask(3, "/ok").await);
    }
    assert!(edge.serves(3).await, "a trusted proxy has no limit");
    drop(kept);
    testkit::eventually(
        "their places are free again",
        Duration::from_secs(10),
        async || edge.serves(1).await.then_some(()),
    )
    .await;
    assert!(telemetry::metrics::encode().contains("gateway_connections_refused_total{reason=\"address\"}"));
}
