//! The listeners: one runtime a core, each with sockets of its own (`SO_REUSEPORT`), so that a request never changes its
//! thread. A connection is bounded in number, in time and in the size of its heads.

use std::{net::SocketAddr, sync::Arc, thread::JoinHandle};

use anyhow::Context as _;
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Listener,
    connections::{Admitted, Connections},
    core::{Core, Gateway},
    framing::Watched,
    headers,
    metrics::CONNECTIONS_REFUSED,
    open_files,
    serve::{Peer, Rules, serve},
    stall::Unstalled,
};

/// The smallest buffer that hyper takes.
const SMALLEST_BUFFER: usize = 8192;

/// Starts a thread a core; each ends, drained, after `stop`.
pub fn start(
    gateway: &Arc<Gateway>,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<JoinHandle<anyhow::Result<()>>>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = (open_files::affordable(gateway.limits.connections) / cores).max(1);
    let mut threads = vec![];
    for core in 0..cores {
        // Bound here, so that a taken port ends the start and not a thread.
        let mut sockets = vec![];
        for listener in &gateway.listeners {
            let socket = bind(listener.bind).with_context(|| {
                format!("cannot listen on {}; is another process using it?", listener.bind)
            })?;
            let rules = Rules {
                trusted_proxies: Arc::from(listener.trusted_proxies.clone()),
                hsts: format!("max-age={}", listener.hsts.0.as_secs()).try_into()?,
            };
            sockets.push((socket, rules));
        }
        let (gateway, stop) = (Arc::clone(gateway), stop.clone());
        let thread = std::thread::Builder::new()
            .name(format!("core-{core}"))
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                runtime.block_on(async {
                    let core = Core::new(gateway)?;
                    let listeners = sockets
                        .into_iter()
                        .map(|(socket, rules)| accept(Arc::clone(&core), socket, rules, share, stop.clone()));
                    futures::future::try_join_all(listeners).await.map(drop)
                })
            })?;
        threads.push(thread);
    }
    for Listener { bind, .. } in &gateway.listeners {
        tracing::info!(%bind, cores, "listening");
    }
    Ok(threads)
}

/// Waits until every core has ended.
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
    rules: Rules,
    connections: usize,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = TcpListener::from_std(socket)?;
    let places = Arc::new(Semaphore::new(connections));
    // The kernel chooses the core of a connection. Whatever it chooses, no address gets more than half of a core's places.
    let of_this_core = Connections::new((connections / 2).max(1));
    let open = GracefulShutdown::new();
    let limits = core.gateway.limits.clone();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_time.0)
        .max_headers(limits.header_fields)
        .max_buf_size(limits.headers.0.max(SMALLEST_BUFFER));
    loop {
        // Without a place the others wait in the kernel's queue.
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let Some((place, accepted)) = stop.run_until_cancelled(accepted).await else {
            break;
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or a client that has left already: the next may do better.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                continue;
            }
        };
        let admitted = if headers::is_trusted(&address.ip().to_canonical(), &rules.trusted_proxies) {
            None
        } else {
            let all = [&of_this_core, &core.gateway.connections];
            let admitted: Option<Vec<Admitted>> = all.iter().map(|one| one.admit(address.ip())).collect();
            let Some(admitted) = admitted else {
                CONNECTIONS_REFUSED.of([("reason", "address")]).inc();
                continue;
            };
            Some(admitted)
        };
        let _ = stream.set_nodelay(true);
        let (stream, malformed) = Watched::new(Unstalled::new(stream, limits.stall.0, (place, admitted)));
        let peer = Peer {
            address,
            rules: rules.clone(),
            malformed,
        };
        let core = Arc::clone(&core);
        let service = service_fn(move |request| {
            let (core, peer) = (Arc::clone(&core), peer.clone());
            async move { Ok::<_, std::convert::Infallible>(serve(core, peer, request).await) }
        });
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended badly");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain.0, open.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were still in work when the time to drain was over");
    }
    Ok(())
}
