//! TLS of a listener: the certificate is chosen by the name that the client asks for (SNI). Certificates are read again
//! every few seconds, so they are replaced without a restart.

use std::sync::Arc;

use anyhow::Context as _;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use souk_tls::{Reader, Watched, certified_key};

use super::acme::{self, Acme};
use crate::config::{Certificate, Tls};

/// The certificates of a listener.
#[derive(Debug)]
pub(crate) struct Certificates {
    loaded: Watched<Loaded>,
    /// Obtains the default certificate, if it is not in files of the operator.
    acme: Option<Arc<Acme>>,
}

#[derive(Debug)]
struct Loaded {
    default: Arc<CertifiedKey>,
    /// Certificates with the names that they are for.
    by_name: Vec<(Vec<String>, Arc<CertifiedKey>)>,
}

impl Certificates {
    /// Reads the certificates. Fails if a file is missing or invalid, or a key does not belong to its certificate.
    pub(crate) fn read(config: &Tls) -> anyhow::Result<Arc<Self>> {
        let acme = config.acme.as_ref().map(Acme::new).transpose()?;
        let config = config.clone();
        let loaded = Watched::new(move |reader| Loaded::read(&config, reader))?;
        Ok(Arc::new(Self { loaded, acme }))
    }

    /// Keeps the certificate from a CA current. Returns at once if all certificates are files of the operator.
    pub(crate) async fn renew(&self) {
        if let Some(acme) = &self.acme {
            acme.run().await;
        }
    }

    /// The TLS settings of a listener: TLS 1.2 and 1.3, HTTP/2 if the client supports it, and resumption of sessions.
    pub(crate) fn server_config(self: &Arc<Self>) -> anyhow::Result<Arc<ServerConfig>> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if self.acme.is_some() {
            config.alpn_protocols.push(acme::PROTOCOL.to_vec());
        }
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().unwrap_or_default().to_ascii_lowercase();
        if let Some(acme) = &self.acme
            && hello.alpn().is_some_and(|offered| offered.eq([acme::PROTOCOL]))
        {
            return acme.challenge(&asked);
        }
        let current = self.loaded.current();
        let matches = |name: &String| match name.strip_prefix('*') {
            Some(suffix) => asked.ends_with(suffix) && asked.len() > suffix.len(),
            None => *name == asked,
        };
        let found = current
            .by_name
            .iter()
            .find(|(names, _)| names.iter().any(matches));
        Some(Arc::clone(found.map_or(&current.default, |(_, key)| key)))
    }
}

impl Loaded {
    fn read(config: &Tls, reader: &mut Reader) -> anyhow::Result<Self> {
        let (cert, key) = config.files().context("`tls` names no certificate")?;
        let default = certified_key(reader, &cert, &key)?;
        let mut by_name = vec![];
        for Certificate { hosts, cert, key } in &config.sni {
            let names = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
            by_name.push((names, certified_key(reader, cert, key)?));
        }
        Ok(Self { default, by_name })
    }
}
