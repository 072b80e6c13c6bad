//! Passes WebSocket connections (RFC 6455) through: once the upstream has accepted, bytes are copied in both directions.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use crate::message::{Activity, Lease, ResponseBody, copy};

const UPGRADE: HeaderValue = HeaderValue::from_static("upgrade");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// An extension of requests that ask for a WebSocket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handshake {
    /// When the client's token expires; `None` for anonymous requests.
    pub(crate) expires: Option<SystemTime>,
}

impl Handshake {
    /// Marks a request that asks for a WebSocket. Must be called before its hop-by-hop fields are removed.
    pub(crate) fn mark(parts: &mut Parts) {
        let lists = |name, wanted: &str| {
            let values = parts
                .headers
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok());
            let mut words = values.flat_map(|value| value.split(','));
            words.any(|word| word.trim().eq_ignore_ascii_case(wanted))
        };
        if parts.method == Method::GET
            && lists(header::CONNECTION, "upgrade")
            && lists(header::UPGRADE, "websocket")
        {
            parts.extensions.insert(Self::default());
        }
    }
}

/// Sets the fields that ask an upstream for a WebSocket, or confirm one to the client.
pub(super) fn set_upgrade(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, UPGRADE);
    headers.insert(header::UPGRADE, WEBSOCKET);
}

/// The limits at which the gateway ends a tunnel that neither side has closed.
#[derive(Debug)]
pub(super) struct Limits {
    /// The tunnel ends after this time without data in either direction.
    pub(super) idle: Duration,
    /// When the client's token expires.
    pub(super) expires: Option<SystemTime>,
    /// The tunnel ends when the gateway shuts down.
    pub(super) draining: CancellationToken,
}

/// Answers the client that the upstream has accepted, and copies bytes from then on.
pub(super) fn accept(
    client: OnUpgrade,
    mut accepted: Response<Incoming>,
    lease: Box<dyn Lease>,
    limits: Limits,
) -> Response<ResponseBody> {
    let upstream = hyper::upgrade::on(&mut accepted);
    let (parts, _) = accepted.into_parts();
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = parts.headers;
    set_upgrade(response.headers_mut());
    tokio::spawn(async move {
        // The request stays in flight for as long as the connection is open.
        let _lease = lease;
        match tokio::try_join!(client, upstream) {
            Ok((client, upstream)) => tunnel(TokioIo::new(client), TokioIo::new(upstream), limits).await,
            Err(error) => tracing::debug!(%error, "a WebSocket was not established"),
        }
    });
    response
}

async fn tunnel<A, B>(client: A, upstream: B, limits: Limits)
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    let activity = Activity::new();
    let (from_client, to_client) = tokio::io::split(client);
    let (from_upstream, to_upstream) = tokio::io::split(upstream);
    let expiry = async {
        match limits
            .expires
            .map(|at| at.duration_since(SystemTime::now()).unwrap_or_default())
        {
            Some(left) => tokio::time::sleep(left).await,
            None => std::future::pending().await,
        }
    };
    let reason = tokio::select! {
        _ = async { tokio::try_join!(
            copy(from_client, to_upstream, &activity, |_| {}),
            copy(from_upstream, to_client, &activity, |_| {}),
        ) } => "both ends have closed it, or one of them broke",
        () = activity.idle(limits.idle) => "it was idle for too long",
        () = expiry => "the token has expired",
        () = limits.draining.cancelled() => "the gateway is shutting down",
    };
    tracing::debug!(reason, "a WebSocket ended");
}
