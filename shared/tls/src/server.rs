//! The server side of mutual TLS: it accepts the connection.

use std::{io, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use futures::Stream;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::{danger::HandshakeSignatureValid, verify_server_name},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::{
        ParsedCertificate, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::SingleCertAndKey,
    version::TLS13,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;

use crate::{Files, Watched, files::provider, watched::Reader};

/// A connection whose caller has presented an accepted certificate.
pub type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Number of accepted connections that may wait for the server.
const WAITING: usize = 16;

/// Accepts TLS connections of certain callers. Clones share their TLS sessions.
#[derive(Debug, Clone)]
pub struct Acceptor(Arc<Watched<ServerConfig>>);

impl Acceptor {
    /// Accepts callers whose certificate is from the CA in `files` and contains one of these DNS names. Fails if a file
    /// cannot be used, or if there is no valid name.
    pub fn new(files: Files, callers: &[String]) -> anyhow::Result<Self> {
        ensure!(!callers.is_empty(), "no caller may connect");
        let callers: Vec<ServerName<'static>> = (callers.iter())
            .map(|name| {
                ServerName::try_from(name.clone()).with_context(|| format!("`{name}` is not a DNS name"))
            })
            .collect::<Result<_, _>>()?;
        let config = Watched::new(move |reader| server_config(reader, &files, &callers))?;
        Ok(Self(Arc::new(config)))
    }

    /// Makes the handshake on a new connection, in at most 10 seconds. Logs why a connection is refused, and returns `None`.
    pub async fn accept(&self, stream: TcpStream) -> Option<TlsStream> {
        let peer = stream.peer_addr().ok()?;
        let acceptor = TlsAcceptor::from(self.0.current());
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some(stream),
            // A health check that only connects, for example.
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Ok(Err(error)) => {
                tracing::warn!(%peer, %error, "refused a connection: the TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::warn!(%peer, "refused a connection: the TLS handshake took too long");
                None
            }
        }
    }

    /// Accepts connections for a server that takes a stream of them. It ends when the stream is dropped.
    pub fn incoming(self, listener: TcpListener) -> impl Stream<Item = io::Result<TlsStream>> {
        let (accepted, incoming) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    () = accepted.closed() => return,
                    stream = listener.accept() => stream,
                };
                let (acceptor, accepted) = (self.clone(), accepted.clone());
                match stream {
                    Ok((stream, _)) => {
                        let _ = stream.set_nodelay(true);
                        tokio::spawn(async move {
                            if let Some(stream) = acceptor.accept(stream).await {
                                let _ = accepted.send(Ok(stream)).await;
                            }
                        });
                    }
                    // Usually the process is out of file descriptors. Wait for some to close instead of spinning.
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection; will retry in 100 ms");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        });
        ReceiverStream::new(incoming)
    }
}

fn server_config(
    reader: &mut Reader,
    files: &Files,
    callers: &[ServerName<'static>],
) -> anyhow::Result<ServerConfig> {
    let own = files.own(reader)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(files.roots(reader)?, provider()).build()?;
    let verifier = Callers {
        names: callers.to_vec(),
        verifier,
    };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Verifies that a client is one of the callers that may connect.
#[derive(Debug)]
struct Callers {
    names: Vec<ServerName<'static>>,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl ClientCertVerifier for Callers {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self
            .verifier
            .verify_client_cert(certificate, intermediates, now)?;
        let parsed = ParsedCertificate::try_from(certificate)?;
        let mut presented_names = vec![];
        for name in &self.names {
            match verify_server_name(&parsed, name) {
                Ok(()) => return Ok(verified),
                Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                    presented,
                    ..
                })) => presented_names = presented,
                Err(error) => return Err(error),
            }
        }
        let allowed: Vec<_> = self.names.iter().map(ServerName::to_str).collect();
        tracing::warn!(names = ?presented_names, ?allowed, "a caller with a valid certificate is not allowed to connect");
        Err(CertificateError::ApplicationVerificationFailure.into())
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
