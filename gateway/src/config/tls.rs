//! The certificates of a listener in the file.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ConfigError, Name};

/// The certificates of a listener: `cert` and `key`, or `acme`. Changed files are noticed within seconds and apply to new
/// connections.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the certificate and those that lead to its root, for clients that ask for none of the `sni` hosts.
    /// Absent: the certificate from `acme`.
    #[serde(default)]
    pub cert: Option<PathBuf>,
    /// PEM file with the private key of the certificate. Absent: the key of the certificate from `acme`.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// Obtains the certificate from a CA. Absent: it is in the files `cert` and `key`.
    #[serde(default)]
    pub acme: Option<Acme>,
    /// Further certificates. Absent: none.
    #[serde(default)]
    pub sni: Vec<Certificate>,
}

impl Tls {
    /// The files with the certificate and with its key, for clients that ask for none of the `sni` hosts. `None` if the file
    /// names neither or both of the ways to get them; see [`Tls::check`].
    pub(crate) fn files(&self) -> Option<(PathBuf, PathBuf)> {
        match (&self.cert, &self.key, &self.acme) {
            (Some(cert), Some(key), None) => Some((cert.clone(), key.clone())),
            (None, None, Some(acme)) => Some((acme.certificate(), acme.certificate())),
            _ => None,
        }
    }

    /// Checks that there is one way to get a certificate, and the names of `acme`.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.files().is_none() {
            return Err("`tls` needs either both `cert` and `key`, or `acme`".to_owned());
        }
        if self.acme.as_ref().is_some_and(|acme| acme.hosts.is_empty()) {
            return Err("`hosts` of `acme` is empty".to_owned());
        }
        Ok(())
    }
}

/// A certificate for some hosts.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Names that clients ask for: `shop.example`, or `*.shop.example` for all names below.
    pub hosts: Vec<String>,
    /// PEM file with the certificate and those that lead to its root.
    pub cert: PathBuf,
    /// PEM file with the private key of the certificate.
    pub key: PathBuf,
}

/// Obtains the certificate of a listener by ACME (RFC 8555), for example from Let's Encrypt, and renews it when two thirds of
/// its lifetime have passed. The CA verifies each host by a TLS connection to its port 443 (`tls-alpn-01`, RFC 8737), which
/// must reach this listener. Until the first certificate arrives, the listener has one that no client accepts. To use this
/// option is to agree to the terms of service of the CA. Replicas cannot share the folder; give them files instead.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// DNS names in the certificate, without wildcards.
    pub hosts: Vec<Name>,
    /// Folder for the account at the CA and for the certificate with its key. It is created if it is missing, readable only
    /// by the gateway's account, and must be kept: a CA limits how often it issues the same certificate.
    pub folder: PathBuf,
    /// URL of the CA's directory. Default: that of Let's Encrypt.
    #[serde(default = "Acme::lets_encrypt")]
    pub directory: String,
    /// Email address that the CA may write to. Absent: none.
    #[serde(default)]
    pub contact: Option<String>,
    /// PEM file with the certificate that the directory's own is verified with, for a private CA. Absent: the certificates of
    /// the operating system.
    #[serde(default)]
    pub ca: Option<PathBuf>,
}

impl Acme {
    fn lets_encrypt() -> String {
        instant_acme::LetsEncrypt::Production.url().to_owned()
    }

    /// The file with the certificate and its key.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// Checks that each host is a DNS name.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match self.hosts.iter().find(|host| !souk_tls::is_name(&host.value)) {
            Some(host) => Err(ConfigError::on(
                host,
                format!("`{}` is not a DNS name", host.value),
            )),
            None => Ok(()),
        }
    }
}
