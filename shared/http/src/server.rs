//! The HTTP server of a service: its router behind the layers that all share, an admin listener beside it, and a
//! shutdown that first stops being ready, then finishes what it began.

use std::{future::Future, net::SocketAddr, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{Method, StatusCode, header};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::{Problem, health::Health, problem::INSTANCE};

/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long answers that have begun may take once the process shuts down.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The listener for operators: health and metrics, never reachable from outside.
#[derive(Debug)]
pub struct Admin {
    /// Where it listens.
    pub addr: SocketAddr,
    /// What `/readyz` asks.
    pub health: Health,
}

/// Serves only the listener for operators until `shutdown`, for a process with an API of another make.
pub async fn serve_admin(admin: Admin, shutdown: CancellationToken) -> anyhow::Result<()> {
    let listener = bind(admin.addr).await?;
    listen(listener, admin.router(), shutdown).await;
    Ok(())
}

/// Serves `router` (through [`layers`]) and the admin listener until `shutdown`, then drains.
pub async fn serve(
    router: Router,
    http_addr: SocketAddr,
    admin: Admin,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let listener = bind(http_addr).await?;
    let admin_listener = bind(admin.addr).await?;
    let (health, admin_addr) = (admin.health.clone(), admin.addr);
    let admin_router = admin.router();
    let admin_stop = CancellationToken::new();
    let admin_task = tokio::spawn(listen(admin_listener, admin_router, admin_stop.clone()));
    let draining = shutdown.clone();
    tokio::spawn(async move {
        draining.cancelled().await;
        health.drain();
    });
    tracing::info!(%http_addr, %admin_addr, "listening");
    listen(listener, layers(router), shutdown).await;
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

/// What every service's routes are behind: one span a request, problems for panics, unknown paths and methods, and no
/// TRACE. [`serve`] applies it; tests that serve a router by themselves do too.
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
        .layer(axum::middleware::from_fn(edge));
    telemetry::http::layer(router)
}

fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This resource has no such method.",
    )
}

async fn edge(request: Request, next: Next) -> Response {
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

async fn listen(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    loop {
        let stream: TcpStream = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of file descriptors, usually: wait for some to close instead of spinning.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some answers were cut off by the shutdown");
    }
}

/// Cancelled by SIGTERM or SIGINT.
#[must_use]
pub fn shutdown_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
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
        tracing::info!("shutting down");
        cancelled.cancel();
    });
    token
}

/// Runs `work` to its end even if the caller is dropped, as a handler is when its client disconnects: a transaction is
/// then committed or rolled back, never abandoned half-way. A panic of `work` continues in the caller.
pub async fn detached<F, T>(work: F) -> T
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    match tokio::spawn(work.in_current_span()).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only when the runtime shuts down; then nobody waits for the answer.
            Err(_) => std::future::pending().await,
        },
    }
}
