//! Opens connections to instances.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::{SockRef, TcpKeepalive};
use souk_tls::Connector;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use crate::message::RequestBody;

/// Time without data after which the kernel asks whether the other end of an HTTP/2 connection still exists, and between
/// two such questions. Pings of HTTP/2 would be noticed earlier, but servers disconnect clients that send many.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long sent data may stay unacknowledged before the connection fails.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// The sending half of an HTTP/1.1 connection.
pub(super) type Sender = http1::SendRequest<RequestBody>;

/// The sending half of an HTTP/2 connection, which requests share.
#[derive(Debug, Clone)]
pub(super) struct Http2Sender {
    pub(super) requests: http2::SendRequest<RequestBody>,
    /// Number of concurrent requests that the instance allows.
    pub(super) max: Arc<AtomicUsize>,
}

/// Why no connection to an instance was opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The instance did not accept a connection in time.
    #[error("cannot connect: {0}")]
    Tcp(#[source] io::Error),
    /// The TLS handshake failed, for example because the certificate of the instance is not the one of the service.
    #[error("the TLS handshake failed: {0}")]
    Tls(#[source] io::Error),
}

/// An open connection, which is encrypted if the upstream has `mtls`.
pub(super) enum Stream {
    /// A connection without TLS, for an upstream without `mtls`.
    Plain(TcpStream),
    /// A connection whose two ends have verified each other.
    Encrypted(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// Opens a connection, with a TLS handshake if `tls` is set. Timeouts are up to the caller.
pub(super) async fn open(address: SocketAddr, tls: Option<&Connector>) -> Result<Stream, ConnectError> {
    let stream = TcpStream::connect(address).await.map_err(ConnectError::Tcp)?;
    stream.set_nodelay(true).map_err(ConnectError::Tcp)?;
    let Some(tls) = tls else {
        return Ok(Stream::Plain(stream));
    };
    let stream = tls.connect(stream).await.map_err(ConnectError::Tls)?;
    Ok(Stream::Encrypted(Box::new(stream)))
}

/// Like [`open`], within this time.
async fn open_within(
    address: SocketAddr,
    tls: Option<&Connector>,
    timeout: Duration,
) -> Result<Stream, ConnectError> {
    // Boxed, so that the future of a request that uses an open connection stays small.
    let open = Box::pin(open(address, tls));
    tokio::time::timeout(timeout, open)
        .await
        .map_err(|_| ConnectError::Tcp(io::ErrorKind::TimedOut.into()))?
}

/// Opens an HTTP/1.1 connection within this time. The current runtime then drives it.
pub(super) async fn connect(
    address: SocketAddr,
    tls: Option<&Connector>,
    timeout: Duration,
) -> Result<Sender, ConnectError> {
    match open_within(address, tls, timeout).await? {
        Stream::Plain(stream) => drive(stream).await,
        Stream::Encrypted(stream) => drive(stream).await,
    }
}

async fn drive<S>(stream: S) -> Result<Sender, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| ConnectError::Tcp(io::Error::other(error)))?;
    tokio::spawn(async move {
        // An error is reported to the request that uses the connection, so it is ignored here.
        let _ = connection.with_upgrades().await;
    });
    Ok(sender)
}

/// Opens an HTTP/2 connection within this time, with prior knowledge unless it is encrypted. The current runtime then
/// drives it.
pub(super) async fn connect_http2(
    address: SocketAddr,
    tls: Option<&Connector>,
    timeout: Duration,
) -> Result<Http2Sender, ConnectError> {
    match open_within(address, tls, timeout).await? {
        Stream::Plain(stream) => {
            keep_alive(&stream).map_err(ConnectError::Tcp)?;
            drive_http2(stream).await
        }
        Stream::Encrypted(stream) => {
            keep_alive(stream.get_ref().0).map_err(ConnectError::Tcp)?;
            drive_http2(stream).await
        }
    }
}

/// Lets the kernel notice that the other end has vanished.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let rules = TcpKeepalive::new()
        .with_time(KEEP_ALIVE)
        .with_interval(KEEP_ALIVE);
    socket.set_tcp_keepalive(&rules)?;
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))
}

async fn drive_http2<S>(stream: S) -> Result<Http2Sender, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (requests, mut connection) = http2::Builder::new(TokioExecutor::new())
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| ConnectError::Tcp(io::Error::other(error)))?;
    let max = Arc::new(AtomicUsize::new(connection.current_max_send_streams()));
    let sender = Http2Sender {
        requests,
        max: Arc::clone(&max),
    };
    tokio::spawn(async move {
        // As above, an error is reported to the requests.
        let _ = poll_fn(|cx| {
            let ended = Pin::new(&mut connection).poll(cx);
            max.store(connection.current_max_send_streams(), Ordering::Relaxed);
            ended
        })
        .await;
    });
    Ok(sender)
}
