//! The client side of mutual TLS: it opens the connection.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::Context as _;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::SingleCertAndKey,
    version::TLS13,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::Service;

use crate::{Files, Watched, files::provider, watched::Reader};

/// The protocol that is spoken over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, which has one request at a time on a connection.
    Http1,
    /// HTTP/2, for example for gRPC.
    Http2,
}

/// Whether services can be called by this name: it is a DNS name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    matches!(ServerName::try_from(name), Ok(ServerName::DnsName(_)))
}

/// Opens TLS connections to one service. Clones share their TLS sessions.
#[derive(Debug, Clone)]
pub struct Connector {
    name: ServerName<'static>,
    config: Arc<Watched<ClientConfig>>,
}

impl Connector {
    /// Connects with the certificate in `files` to a service whose certificate is from the CA in `files` and contains
    /// `name`, whatever the address of the service is. Fails if a file cannot be used, or if `name` is not a DNS name.
    pub fn new(files: Files, name: &str, protocol: Protocol) -> anyhow::Result<Self> {
        let name =
            ServerName::try_from(name.to_owned()).with_context(|| format!("`{name}` is not a DNS name"))?;
        let expected = name.clone();
        let config = Watched::new(move |reader| client_config(reader, &files, &expected, protocol))?;
        Ok(Self {
            name,
            config: Arc::new(config),
        })
    }

    /// Settings for an HTTP client that only calls this service. They are the same value until the files change.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        self.config.current()
    }

    /// Makes the TLS handshake on an open connection. The error says why a certificate was not accepted.
    pub async fn connect(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(self.config());
        connector.connect(self.name.clone(), stream).await
    }
}

/// Connects to the host and port of the URL. Timeouts are up to the caller.
impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let missing = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
            let host = url.host().ok_or_else(|| missing("the URL has no host"))?;
            let port = url.port_u16().ok_or_else(|| missing("the URL has no port"))?;
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let stream = connect_to_first(tokio::net::lookup_host((host, port)).await?).await?;
            stream.set_nodelay(true)?;
            this.connect(stream).await.map(TokioIo::new)
        })
    }
}

/// How long an address has to accept a connection before the next one is tried as well.
const HEAD_START: Duration = Duration::from_millis(100);

/// Connects to the first of these addresses that accepts. An instance that has vanished does not refuse connections, so
/// waiting for it would leave no time for the others.
async fn connect_to_first(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let attempts: Vec<_> = (0..)
        .zip(addresses)
        .map(|(number, address)| {
            Box::pin(async move {
                tokio::time::sleep(HEAD_START * number).await;
                TcpStream::connect(address).await
            })
        })
        .collect();
    if attempts.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
    }
    let (stream, _) = futures::future::select_ok(attempts).await?;
    Ok(stream)
}

fn client_config(
    reader: &mut Reader,
    files: &Files,
    name: &ServerName<'static>,
    protocol: Protocol,
) -> anyhow::Result<ClientConfig> {
    let own = files.own(reader)?;
    let verifier = WebPkiServerVerifier::builder_with_provider(files.roots(reader)?, provider()).build()?;
    let verifier = OneService {
        name: name.clone(),
        verifier,
    };
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
    config.alpn_protocols = match protocol {
        Protocol::Http1 => vec![b"http/1.1".to_vec()],
        Protocol::Http2 => vec![b"h2".to_vec()],
    };
    Ok(config)
}

/// Verifies that a server is a certain service, independently of the name in the URL: an instance may be called by its IP
/// address.
#[derive(Debug)]
struct OneService {
    name: ServerName<'static>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for OneService {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier
            .verify_server_cert(certificate, intermediates, &self.name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address that neither accepts nor refuses connections, and the connections that keep it so.
    async fn silent() -> (SocketAddr, impl Sized) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = vec![];
        // The kernel accepts a connection or two on its own; later ones get no answer.
        while let Ok(connected) =
            tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await
        {
            waiting.push(connected.unwrap());
        }
        (address, (listener, waiting))
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_does_not_hold_up_the_others() {
        let (gone, _full) = silent().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live = listener.local_addr().unwrap();
        let connect = connect_to_first([gone, live].into_iter());
        let stream = tokio::time::timeout(Duration::from_secs(20), connect).await;
        assert_eq!(stream.unwrap().unwrap().peer_addr().unwrap(), live);
    }

    #[tokio::test]
    async fn a_host_without_an_address_is_an_error() {
        let error = connect_to_first(std::iter::empty()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
