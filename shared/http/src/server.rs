//! The HTTP server of a service: its router behind the shared layers, a separate admin listener, and a graceful shutdown.
//!
//! A shutdown must not break a request, even of a client that does not know about it yet. So `/readyz` fails from then on,
//! new connections are refused, which a client can safely try at another instance, and requests in progress are completed.
//! Open connections still accept a request, because one may be on its way already, and close after its response, which
//! says so with `Connection: close`.

use std::{future::Future, net::SocketAddr, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, Method, StatusCode, Version, header};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use souk_tls::Acceptor;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::{Problem, health::Health, problem::INSTANCE, registration::Registration};

/// How long a client may take to send its request headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection stays open after the shutdown starts: longer than the 8 s after which the gateway stops
/// using an idle connection, so that no request is sent on a connection that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(9);
/// How long requests in progress may take to complete after the shutdown starts.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The admin listener, which serves health checks and metrics. It must not be reachable from outside.
#[derive(Debug)]
pub struct Admin {
    /// Address and port to listen on.
    pub addr: SocketAddr,
    /// The readiness checks that `/readyz` runs.
    pub health: Health,
}

/// Serves only the admin listener, with additional `pages`, until `shutdown`. For processes without an HTTP API of their own.
pub async fn serve_admin(admin: Admin, pages: Router, shutdown: CancellationToken) -> anyhow::Result<()> {
    let listener = bind(admin.addr).await?;
    listen(
        listener,
        None,
        admin.router().merge(pages),
        shutdown,
        Duration::ZERO,
    )
    .await;
    Ok(())
}

/// Serves `router` behind [`layers`], and the admin listener, until `shutdown`. Then waits until every connection is closed,
/// up to 10 seconds. With `tls`, only the configured callers can connect to `router`; the admin listener remains
/// unencrypted. Fails if an address cannot be bound, or if a certificate cannot be used.
pub async fn serve(
    router: Router,
    http_addr: SocketAddr,
    tls: Option<&souk_tls::Settings>,
    admin: Admin,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let acceptor = tls.map(souk_tls::Settings::acceptor).transpose()?;
    let listener = bind(http_addr).await?;
    let admin_listener = bind(admin.addr).await?;
    let (health, admin_addr) = (admin.health.clone(), admin.addr);
    let admin_router = admin.router();
    let admin_stop = CancellationToken::new();
    let admin_task = tokio::spawn(listen(
        admin_listener,
        None,
        admin_router,
        admin_stop.clone(),
        Duration::ZERO,
    ));
    let draining = shutdown.clone();
    tokio::spawn(async move {
        draining.cancelled().await;
        health.drain();
    });
    tracing::info!(%http_addr, %admin_addr, mtls = acceptor.is_some(), "listening");
    listen(listener, acceptor, layers(router), shutdown, IDLE_TIMEOUT).await;
    admin_stop.cancel();
    admin_task.await.context("the admin listener failed")
}

impl Admin {
    fn router(self) -> Router {
        self.health.router().route("/metrics", get(metrics))
    }
}

async fn bind(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("cannot listen on {addr}; is another process using it?"))
}

async fn metrics() -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], telemetry::metrics::encode())
}

/// Wraps `router` in the layers of every service: one span per request, problem responses for panics and for unknown paths
/// and methods, and no TRACE method. [`serve`] applies them; tests that serve a router themselves must do so too.
pub fn layers(router: Router) -> Router {
    let router = router
        .fallback(|| async { Problem::not_found("resource") })
        .method_not_allowed_fallback(|| async { method_not_allowed() })
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            Problem::internal(format!("panicked: {}", text.unwrap_or("?"))).into_response()
        }))
        .layer(axum::middleware::from_fn(handle_request));
    telemetry::http::layer(router)
}

fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This resource does not support the request's method.",
    )
}

async fn handle_request(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    INSTANCE
        .scope(path, async {
            if request.method() == Method::TRACE {
                return method_not_allowed().into_response();
            }
            next.run(request).await
        })
        .await
}

/// Serves connections until `shutdown`, and then until they are closed. Closes those that are idle after `idle_timeout`.
async fn listen(
    listener: TcpListener,
    acceptor: Option<Acceptor>,
    router: Router,
    shutdown: CancellationToken,
    idle_timeout: Duration,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new());
    let router = router.layer(axum::middleware::from_fn_with_state(
        shutdown.clone(),
        close_after_response,
    ));
    let (connections, close_idle) = (TaskTracker::new(), CancellationToken::new());
    let serve = |stream: TcpStream| {
        let _ = stream.set_nodelay(true);
        let (builder, router) = (builder.clone(), router.clone());
        let (acceptor, close_idle) = (acceptor.clone(), close_idle.clone());
        connections.spawn(async move {
            let result = match acceptor {
                None => serve_connection(&builder, stream, router, &close_idle).await,
                Some(acceptor) => {
                    let Some(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    serve_connection(&builder, stream, router, &close_idle).await
                }
            };
            if let Err(error) = result {
                tracing::debug!(%error, "connection closed with an error");
            }
        });
    };
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => serve(stream),
                // Usually the process is out of file descriptors. Wait for some to close instead of spinning.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection; will retry in 100 ms");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    for (stream, _) in waiting_connections(listener) {
        serve(stream);
    }
    connections.close();
    let drain = async {
        if tokio::time::timeout(idle_timeout, connections.wait())
            .await
            .is_err()
        {
            close_idle.cancel();
            connections.wait().await;
        }
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, drain).await.is_err() {
        tracing::warn!("requests still in progress were aborted by the shutdown");
    }
}

/// Closes the listener of a process that shuts down, and returns the connections that the kernel had already accepted. Their
/// clients may have sent a request, and would not know whether it was handled if the connections were reset.
pub fn waiting_connections(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    let listener = listener.into_std().ok();
    std::iter::from_fn(move || {
        let (stream, address) = listener.as_ref()?.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, address))
    })
}

/// Serves a connection until it is closed, or, once `close_idle` is cancelled, until no request is in progress on it.
async fn serve_connection(
    builder: &Builder<TokioExecutor>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    close_idle: &CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        result = connection.as_mut() => result,
        () = close_idle.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

/// Announces, while the process shuts down, that the connection closes after the response. HTTP/2 has no such header.
async fn close_after_response(
    State(shutdown): State<CancellationToken>,
    request: Request,
    next: Next,
) -> Response {
    let has_header = request.version() <= Version::HTTP_11;
    let mut response = next.run(request).await;
    if has_header && shutdown.is_cancelled() {
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Returns a token that is cancelled when the process receives SIGTERM or SIGINT.
///
/// If `SOUK_CONSUL_URL` is set, the service is also registered in Consul while it is ready, and deregistered before the token
/// is cancelled. See [`Registration`].
#[must_use]
pub fn shutdown_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        let signal = async {
            signal().await;
            tracing::info!("shutting down");
        };
        match registration() {
            Ok(Some(registration)) => registration.keep_until(signal).await,
            Ok(None) => signal.await,
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the service is not registered in Consul"
                );
                signal.await;
            }
        }
        cancelled.cancel();
    });
    token
}

/// The registration of this process, if it is configured and the process is a service.
fn registration() -> anyhow::Result<Option<Registration>> {
    match (souk_config::consul()?, telemetry::service()) {
        (Some(settings), Some(name)) => Registration::new(name, settings),
        _ => Ok(None),
    }
}

/// Returns when the process receives SIGTERM or SIGINT.
async fn signal() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::error!(%error, "cannot listen for SIGTERM");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Runs `work` to completion even if the caller is dropped, as a handler is when its client disconnects. Transactions in
/// `work` are therefore always committed or rolled back. A panic in `work` propagates to the caller.
pub async fn detached<F, T>(work: F) -> T
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    match tokio::spawn(work.in_current_span()).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, so the caller will be dropped too.
            Err(_) => std::future::pending().await,
        },
    }
}
