//! The settings of a service that uses mutual TLS.

use std::path::PathBuf;

use serde::Deserialize;

use crate::{Acceptor, Connector, Files, Protocol};

/// Mutual TLS of a service. The files are read again within seconds after they change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `SOUK_TLS_CA`: PEM file with the certificates of the CAs that issue the certificates of callers and called
    /// services.
    pub ca: PathBuf,
    /// `SOUK_TLS_CERT`: PEM file with the certificate of this service.
    pub cert: PathBuf,
    /// `SOUK_TLS_KEY`: PEM file with the private key of the certificate.
    pub key: PathBuf,
    /// `SOUK_TLS_CALLERS`: the processes that may connect, by a DNS name in their certificates.
    pub callers: Vec<String>,
}

impl Settings {
    fn files(&self) -> Files {
        Files {
            ca: self.ca.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
        }
    }

    /// The server side: only the configured callers may connect. Fails if a file cannot be used.
    pub fn acceptor(&self) -> anyhow::Result<Acceptor> {
        Acceptor::new(self.files(), &self.callers)
    }

    /// The client side, for calls to the service with that name. Fails if a file cannot be used.
    pub fn connector(&self, service: &str, protocol: Protocol) -> anyhow::Result<Connector> {
        Connector::new(self.files(), service, protocol)
    }
}
