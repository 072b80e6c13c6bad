//! Passes TCP connections through: the upstream is chosen by the name that the client asks for in its TLS handshake (SNI).
//! The bytes of both sides are copied unchanged, so TLS is between the client and the upstream.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use http::HeaderMap;
use rustls::server::Acceptor;
use telemetry::metrics::{CounterSeries, GaugeSeries};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::Semaphore,
};

use super::{gateway::Core, proxy_protocol};
use crate::{
    config::Tcp,
    message::{Activity, Client, copy, network},
    metrics::{CONNECTIONS_REFUSED, TCP_BYTES, TCP_CONNECTIONS, TCP_OPEN},
    upstream::InFlight,
};

/// Maximum number of bytes that are read to find the name; a longer handshake counts as one without a name.
const MAX_HELLO: usize = 64 << 10;
/// The TLS alert `unrecognized_name`, with which a connection without an upstream is closed.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// A listener that passes TCP connections through. All cores share it.
#[derive(Debug)]
pub(super) struct TcpProxy {
    name: String,
    rules: Tcp,
    /// Upstreams by exact host names, in lower case.
    hosts: HashMap<String, String>,
    /// Upstreams by the suffix of host names, such as `.shop.example`; longer ones come first.
    suffixes: Vec<(String, String)>,
    places: Arc<Semaphore>,
    /// Time within which the client must have sent the name that it asks for.
    hello_time: Duration,
    open: GaugeSeries,
    from_clients: CounterSeries,
    to_clients: CounterSeries,
}

/// The client's side of a connection.
pub(super) struct ClientSide<S> {
    pub(super) stream: S,
    /// Address of the client.
    pub(super) address: SocketAddr,
    /// Address that the client has connected to, if it is known.
    pub(super) local: Option<SocketAddr>,
}

/// What a client has sent first.
enum Hello {
    /// A TLS handshake that asks for this name, in lower case.
    Named(String),
    /// A TLS handshake without a name.
    Nameless,
    /// Anything other than a TLS handshake.
    Other,
}

impl TcpProxy {
    pub(super) fn new(name: &str, rules: &Tcp, hello_time: Duration) -> Self {
        let (mut hosts, mut suffixes) = (HashMap::new(), vec![]);
        for entry in &rules.sni {
            for host in &entry.hosts {
                let (host, to) = (host.value.to_ascii_lowercase(), entry.to.value.clone());
                match host.strip_prefix('*') {
                    Some(suffix) => suffixes.push((suffix.to_owned(), to)),
                    None => drop(hosts.insert(host, to)),
                }
            }
        }
        suffixes.sort_by_key(|(suffix, _)| std::cmp::Reverse(suffix.len()));
        let bytes = |from| TCP_BYTES.of([("listener", name), ("from", from)]);
        Self {
            name: name.to_owned(),
            hosts,
            suffixes,
            places: Arc::new(Semaphore::new(rules.connections.get())),
            hello_time,
            rules: rules.clone(),
            open: TCP_OPEN.of([("listener", name)]),
            from_clients: bytes("clients"),
            to_clients: bytes("upstreams"),
        }
    }

    /// Passes a connection through until its end.
    pub(super) async fn pass<S>(&self, mut client: ClientSide<S>, core: &Core)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Ok(_place) = self.places.try_acquire() else {
            CONNECTIONS_REFUSED.of([("reason", "listener")]).inc();
            return;
        };
        let started = Instant::now();
        let (hello, first) = match self.hello(&mut client.stream).await {
            Ok(read) => read,
            Err(error) => {
                self.count("failed");
                return tracing::debug!(listener = self.name, %error, "a connection sent no name in time");
            }
        };
        let name = match &hello {
            Hello::Named(name) => name.as_str(),
            Hello::Nameless | Hello::Other => "",
        };
        let Some(to) = self.upstream(name) else {
            self.count("refused");
            if !matches!(hello, Hello::Other) {
                let _ = client.stream.write_all(&UNRECOGNIZED_NAME).await;
            }
            return tracing::info!(
                listener = self.name,
                name,
                "the connection was closed; no upstream has its name"
            );
        };
        let (instance, stream) = match self.connect(to, client.address, core).await {
            Ok(connected) => connected,
            Err(error) => {
                self.count("failed");
                return tracing::warn!(listener = self.name, upstream = to, %error, "the connection was closed; the upstream cannot be reached");
            }
        };
        self.count("passed");
        self.open.inc();
        let ended = self.copy(client, stream, &first).await;
        self.open.dec();
        tracing::info!(
            listener = self.name,
            name,
            upstream = to,
            instance = %instance.address,
            seconds = started.elapsed().as_secs_f64(),
            ended,
            "connection completed"
        );
    }

    fn count(&self, result: &str) {
        TCP_CONNECTIONS
            .of([("listener", &self.name), ("result", result)])
            .inc();
    }

    /// The upstream for a client that asks for this name, which is empty if it asks for none.
    fn upstream(&self, name: &str) -> Option<&str> {
        let by_suffix = || {
            let matches = |suffix: &str| name.len() > suffix.len() && name.ends_with(suffix);
            let found = self.suffixes.iter().find(|(suffix, _)| matches(suffix));
            found.map(|(_, to)| to)
        };
        let found = self.hosts.get(name).or_else(by_suffix);
        found
            .or(self.rules.to.as_ref().map(|to| &to.value))
            .map(String::as_str)
    }

    /// Reads what the client sends first, if the upstream depends on it. Also returns the bytes.
    async fn hello(&self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Hello, Vec<u8>)> {
        if self.rules.sni.is_empty() {
            return Ok((Hello::Other, vec![]));
        }
        tokio::time::timeout(self.hello_time, read_hello(stream)).await?
    }

    /// Connects to an instance of the upstream that accepts a connection.
    async fn connect(&self, to: &str, client: SocketAddr, core: &Core) -> io::Result<(InFlight, TcpStream)> {
        let snapshot = Arc::clone(&core.view().snapshot);
        let cluster = snapshot.clusters.iter().find(|one| one.name == to);
        let cluster = cluster.ok_or(io::ErrorKind::NotFound)?;
        let address = network(client.ip().to_canonical());
        let choice = cluster.choice(&Client::Address(address), &HeaderMap::new());
        let mut last = io::Error::from(io::ErrorKind::NotConnected);
        while let Some(instance) = cluster.choose(&choice).await {
            let started = Instant::now();
            let instance = instance.begin();
            let connect = TcpStream::connect(instance.address);
            let connected = tokio::time::timeout(snapshot.config.limits.connect.0, connect).await;
            match connected.map_err(io::Error::from).flatten() {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    instance.count_request();
                    cluster.record_success(&instance, started.elapsed());
                    return Ok((instance, stream));
                }
                Err(error) => {
                    cluster.record_failure(&instance, &error, started.elapsed(), true);
                    choice.exclude(&instance);
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// Copies in both directions until both sides have closed, one of them breaks, or nothing was sent for too long. Says
    /// which of these it was.
    async fn copy<S>(&self, client: ClientSide<S>, mut upstream: TcpStream, first: &[u8]) -> &'static str
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut head = vec![];
        if self.rules.send_proxy_protocol {
            head = proxy_protocol::header(client.address, client.local);
        }
        head.extend_from_slice(first);
        if upstream.write_all(&head).await.is_err() {
            return "the connection broke";
        }
        self.from_clients.inc_by(first.len() as u64);
        let activity = Activity::new();
        let (from_client, to_client) = tokio::io::split(client.stream);
        let (from_upstream, to_upstream) = upstream.into_split();
        let copies = async {
            tokio::try_join!(
                copy(from_client, to_upstream, &activity, |read| {
                    self.from_clients.inc_by(read);
                }),
                copy(from_upstream, to_client, &activity, |read| {
                    self.to_clients.inc_by(read);
                }),
            )
        };
        tokio::select! {
            result = copies => if result.is_ok() { "both sides have closed" } else { "the connection broke" },
            () = activity.idle(self.rules.idle.0) => "it was idle for too long",
        }
    }
}

/// Reads until it is clear which name the client asks for. Also returns what was read.
async fn read_hello(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Hello, Vec<u8>)> {
    let (mut acceptor, mut all) = (Acceptor::default(), vec![]);
    let mut buffer = [0; 4096];
    while all.len() < MAX_HELLO {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        let mut new = &buffer[..read];
        all.extend_from_slice(new);
        while !new.is_empty() {
            if acceptor.read_tls(&mut new).is_err() {
                return Ok((Hello::Other, all));
            }
            match acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => {
                    let name = accepted.client_hello().server_name().map(str::to_ascii_lowercase);
                    return Ok((name.map_or(Hello::Nameless, Hello::Named), all));
                }
                Err(_) => return Ok((Hello::Other, all)),
            }
        }
    }
    Ok((Hello::Other, all))
}
