//! Listeners. Each core has a single-threaded runtime with sockets of its own (`SO_REUSEPORT`), so a request never
//! moves to another thread. The number of connections, their idle time and the size of request heads are limited.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::AtomicBool},
    thread::JoinHandle,
    time::Duration,
};

use anyhow::Context as _;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::{
        http1::{self, UpgradeableConnection},
        http2,
    },
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    acme,
    connections::{ConnectionPermit, Connections},
    framing,
    gateway::{Core, Gateway},
    open_files, preface, proxy_protocol,
    request::{ListenerSettings, Peer, serve},
    stall::StallTimeout,
    tcp::{ClientSide, TcpProxy},
    tls::Certificates,
};
use crate::{
    config::{Limits, Listener},
    message::{ResponseBody, Streams, headers},
    metrics::CONNECTIONS_REFUSED,
};

/// The smallest read buffer that hyper accepts, in bytes.
const MIN_BUFFER: usize = 8192;
/// Maximum number of concurrent requests on one HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// Number of streams that the client of an HTTP/2 connection may reset before they are handled.
const MAX_RESETS: usize = 20;

/// Starts one thread for each core. After `stop` is cancelled, each thread drains its requests and ends.
///
/// Fails if an address cannot be bound.
pub fn start(
    gateway: &Arc<Gateway>,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<JoinHandle<anyhow::Result<()>>>> {
    let config = Arc::clone(&gateway.snapshot().config);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = (open_files::affordable_connections(config.limits.connections) / cores).max(1);
    let mut shared = vec![];
    for (name, listener) in &config.listeners {
        let read = listener.tls.as_ref().map(Certificates::read).transpose();
        let tcp = listener.tcp.as_ref();
        let tcp = tcp.map(|rules| Arc::new(TcpProxy::new(name, rules, config.limits.header_time.0)));
        shared.push((read.with_context(|| format!("the listener `{name}`"))?, tcp));
    }
    let mut threads = vec![];
    for core in 0..cores {
        // Bind before the thread starts, so that a port in use fails the start instead of one thread.
        let mut sockets = vec![];
        for (listener, (certificates, tcp)) in config.listeners.values().zip(&shared) {
            let socket = bind(listener.bind).with_context(|| {
                format!("cannot listen on {}; is another process using it?", listener.bind)
            })?;
            let settings = ListenerSettings {
                trusted_proxies: Arc::from(listener.trusted_proxies.clone()),
                hsts: format!("max-age={}", listener.hsts.0.as_secs()).try_into()?,
                is_https: certificates.is_some(),
                has_proxy_header: listener.proxy_protocol,
            };
            let tls = certificates
                .as_ref()
                .map(Certificates::server_config)
                .transpose()?;
            let speaks = match (tls, tcp) {
                (_, Some(tcp)) => Speaks::Tcp(Arc::clone(tcp)),
                (Some(tls), None) => Speaks::Https(tls.into()),
                (None, None) => Speaks::Http,
            };
            sockets.push((socket, settings, speaks));
        }
        let (gateway, stop) = (Arc::clone(gateway), stop.clone());
        // One thread renews certificates.
        let renewed: Vec<_> = if core == 0 {
            shared
                .iter()
                .filter_map(|(certificates, _)| certificates.clone())
                .collect()
        } else {
            vec![]
        };
        let thread = std::thread::Builder::new()
            .name(format!("core-{core}"))
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                runtime.block_on(async {
                    for certificates in renewed {
                        tokio::spawn(async move { certificates.renew().await });
                    }
                    let core = Core::new(gateway);
                    let listeners = sockets.into_iter().map(|(socket, settings, speaks)| {
                        accept(Arc::clone(&core), socket, (settings, speaks), share, stop.clone())
                    });
                    futures::future::try_join_all(listeners).await.map(drop)
                })
            })?;
        threads.push(thread);
    }
    for Listener { bind, .. } in config.listeners.values() {
        tracing::info!(%bind, cores, "listening");
    }
    Ok(threads)
}

/// Waits until every core's thread has ended. Returns the first error; a panic counts as one.
pub fn join(threads: Vec<JoinHandle<anyhow::Result<()>>>) -> anyhow::Result<()> {
    threads
        .into_iter()
        .try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a core panicked")))
}

fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

async fn accept(
    core: Arc<Core>,
    socket: std::net::TcpListener,
    (settings, speaks): (ListenerSettings, Speaks),
    connections: usize,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = TcpListener::from_std(socket)?;
    let places = Arc::new(Semaphore::new(connections));
    // The kernel chooses the core of a connection, so the connections of one address could fill a core. An address
    // therefore gets at most half of a core's capacity.
    let connections_of_core = Connections::new((connections / 2).max(1));
    let open = TaskTracker::new();
    let limits = core.view().snapshot.config.limits.clone();
    let protocols = Protocols::new(&limits, stop.clone());
    let serve = |stream: TcpStream, address: SocketAddr, place: OwnedSemaphorePermit| {
        let admission = Admission([
            Arc::clone(&connections_of_core),
            Arc::clone(&core.gateway.connections),
        ]);
        let is_trusted = headers::is_trusted(&address.ip().to_canonical(), &settings.trusted_proxies);
        // Trusted proxies are not limited, because they forward the requests of all clients.
        let permits = if is_trusted {
            Some(vec![])
        } else {
            admission.admit(address)
        };
        let Some(permits) = permits.filter(|_| is_trusted || !settings.has_proxy_header) else {
            return;
        };
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().ok();
        let accepted = Accepted {
            stream: StallTimeout::new(stream, limits.stall.0, (place, permits)),
            address,
            local,
            settings: settings.clone(),
            admission,
        };
        open.spawn(accepted.serve(protocols.clone(), speaks.clone(), Arc::clone(&core)));
    };
    loop {
        // Without a free place, further connections wait in the kernel's accept queue.
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let Some((place, accepted)) = stop.run_until_cancelled(accepted).await else {
            break;
        };
        match accepted {
            Ok((stream, address)) => serve(stream, address, place?),
            Err(error) => {
                // Out of file descriptors, or the client has already disconnected. Later connections may succeed.
                tracing::warn!(%error, "accepting a connection failed; retrying in 10 ms");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    }
    for (stream, address) in souk_http::waiting_connections(listener) {
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            serve(stream, address, place);
        }
    }
    open.close();
    if tokio::time::timeout(limits.drain.0, open.wait()).await.is_err() {
        tracing::warn!("the drain timeout has passed; closing connections with unfinished requests");
    }
    Ok(())
}

/// The protocols that the clients of a listener speak.
#[derive(Clone)]
enum Speaks {
    Http,
    Https(TlsAcceptor),
    /// Any protocol over TCP; the bytes are passed through.
    Tcp(Arc<TcpProxy>),
}

/// A connection that was accepted, with its place among all connections.
struct Accepted {
    stream: StallTimeout<(OwnedSemaphorePermit, Vec<ConnectionPermit>)>,
    address: SocketAddr,
    /// The address that the client has connected to.
    local: Option<SocketAddr>,
    settings: ListenerSettings,
    admission: Admission,
}

impl Accepted {
    /// Serves the connection until its end.
    async fn serve(mut self, protocols: Protocols, speaks: Speaks, core: Arc<Core>) {
        let (mut address, mut _permits) = (self.address, vec![]);
        let time = protocols.handshake_time;
        if self.settings.has_proxy_header {
            match tokio::time::timeout(time, proxy_protocol::read(&mut self.stream)).await {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(client))) => {
                    let Some(admitted) = self.admission.admit(client) else {
                        return;
                    };
                    (address, _permits) = (client, admitted);
                }
                Ok(Err(error)) => return tracing::debug!(%error, %address, "a PROXY header is invalid"),
                Err(_) => return tracing::debug!(%address, "a PROXY header took too long"),
            }
        }
        let stream = self.stream;
        // State that only some connections need is on the heap, so that the others do not reserve memory for it.
        match speaks {
            Speaks::Http => match tokio::time::timeout(time, preface::read(stream)).await {
                Ok(Ok((true, stream))) => {
                    Box::pin(protocols.http2(stream, (address, self.settings, core))).await;
                }
                Ok(Ok((false, stream))) => protocols.http1(stream, (address, self.settings, core)).await,
                Ok(Err(error)) => tracing::debug!(%error, "a connection broke before its first request"),
                Err(_) => tracing::debug!("a connection had no request in time"),
            },
            Speaks::Https(tls) => match tokio::time::timeout(time, Box::pin(tls.accept(stream))).await {
                Ok(Ok(stream)) => match stream.get_ref().1.alpn_protocol() {
                    Some(b"h2") => Box::pin(protocols.http2(stream, (address, self.settings, core))).await,
                    // The handshake has answered the challenge of a CA.
                    Some(acme::PROTOCOL) => {}
                    _ => Box::pin(protocols.http1(stream, (address, self.settings, core))).await,
                },
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
            Speaks::Tcp(proxy) => {
                let client = ClientSide {
                    stream,
                    address,
                    local: self.local,
                };
                Box::pin(proxy.pass(client, &core)).await;
            }
        }
    }
}

/// The limits of connections of one address: those of the core and of the process.
#[derive(Debug)]
struct Admission([Arc<Connections>; 2]);

impl Admission {
    /// Permits for a connection, or `None` if the address has too many.
    fn admit(&self, address: SocketAddr) -> Option<Vec<ConnectionPermit>> {
        let permits: Option<Vec<_>> = self.0.iter().map(|one| one.admit(address.ip())).collect();
        if permits.is_none() {
            CONNECTIONS_REFUSED.of([("reason", "address")]).inc();
        }
        permits
    }
}

/// A client's connection: its address, the settings of its listener, and the core that serves it.
type Client = (SocketAddr, ListenerSettings, Arc<Core>);

/// The settings of the protocols that clients speak.
#[derive(Debug, Clone)]
struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<Streams>,
    /// Time within which a TLS handshake, or what comes before the first request, must be complete.
    handshake_time: Duration,
    /// Cancelled when the gateway begins to drain: connections end after their current requests.
    stop: CancellationToken,
}

impl Protocols {
    fn new(limits: &Limits, stop: CancellationToken) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_time.0)
            .max_headers(limits.header_fields)
            .max_buf_size(limits.headers.0.max(MIN_BUFFER));
        let limit = limits.stall.0;
        let mut http2 = http2::Builder::new(Streams { limit });
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            // Clients that open and reset streams without end are disconnected (CVE-2023-44487).
            .max_pending_accept_reset_streams(MAX_RESETS)
            .max_local_error_reset_streams(MAX_RESETS)
            .max_header_list_size(u32::try_from(limits.headers.0).unwrap_or(u32::MAX))
            // Ends connections whose client has vanished.
            .keep_alive_interval(limits.header_time.0)
            .keep_alive_timeout(limits.header_time.0);
        Self {
            http1,
            http2,
            handshake_time: limits.header_time.0,
            stop,
        }
    }

    async fn http1<S>(&self, stream: S, client: Client)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (stream, malformed) = framing::watch(stream);
        let service = service(client, malformed);
        let connection = self.http1.serve_connection(TokioIo::new(stream), service);
        self.run(
            connection.with_upgrades(),
            UpgradeableConnection::graceful_shutdown,
        )
        .await;
    }

    async fn http2<S>(&self, stream: S, client: Client)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // HTTP/2 has no ambiguous framing.
        let service = service(client, Arc::default());
        let connection = self.http2.serve_connection(TokioIo::new(stream), service);
        self.run(connection, http2::Connection::graceful_shutdown).await;
    }

    /// Serves a connection until its end, or until it has no more requests after the gateway has begun to drain.
    async fn run<C>(&self, connection: C, drain: impl FnOnce(Pin<&mut C>))
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let mut connection = pin!(connection);
        let ended = if let Some(ended) = self.stop.run_until_cancelled(connection.as_mut()).await {
            ended
        } else {
            drain(connection.as_mut());
            connection.await
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended with an error");
        }
    }
}

/// The service that hyper calls with the requests of a connection.
fn service(
    (address, settings, core): Client,
    malformed: Arc<AtomicBool>,
) -> impl Service<Request<Incoming>, Response = Response<ResponseBody>, Error = Infallible, Future: Send + 'static>
+ Send {
    let peer = Peer {
        address,
        settings,
        malformed,
    };
    service_fn(move |request| {
        let (core, peer) = (Arc::clone(&core), peer.clone());
        // Boxed, because otherwise every idle connection would reserve the memory of a request.
        Box::pin(async move { Ok(serve(core, peer, request).await) })
    })
}
