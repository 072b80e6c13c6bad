//! The PEM files of a process: its certificate, the key, and the CAs that it trusts.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use rustls::{
    RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

use telemetry::metrics::Gauge;
use x509_parser::extensions::GeneralName;

use crate::watched::Reader;

static EXPIRY: Gauge = Gauge::gauge(
    "certificate_expiry_timestamp_seconds",
    "Time at which a certificate of this process expires, in seconds since 1970, by its first DNS name",
);

/// The files of a process that takes part in mutual TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// PEM file with the certificates of the CAs that must have issued the certificates of peers.
    pub ca: PathBuf,
    /// PEM file with the certificate of this process and those that lead to its CA.
    pub cert: PathBuf,
    /// PEM file with the private key of the certificate.
    pub key: PathBuf,
}

impl Files {
    /// The certificate of this process with its key.
    pub(crate) fn own(&self, reader: &mut Reader) -> anyhow::Result<Arc<CertifiedKey>> {
        certified_key(reader, &self.cert, &self.key)
    }

    /// The CAs that must have issued the certificates of peers.
    pub(crate) fn roots(&self, reader: &mut Reader) -> anyhow::Result<Arc<RootCertStore>> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(reader, &self.ca)? {
            roots
                .add(certificate)
                .with_context(|| self.ca.display().to_string())?;
        }
        Ok(Arc::new(roots))
    }
}

/// The cryptography that Souk uses for TLS.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Reads a certificate chain and its private key. Fails if a file is missing or invalid, or if the key does not belong to
/// the certificate. The error names the files.
pub fn certified_key(reader: &mut Reader, cert: &Path, key: &Path) -> anyhow::Result<Arc<CertifiedKey>> {
    let chain = certificates(reader, cert)?;
    let private =
        PrivateKeyDer::from_pem_slice(&reader.read(key)?).with_context(|| key.display().to_string())?;
    let certified = CertifiedKey::from_der(chain, private, &provider())
        .with_context(|| format!("{} and {}", cert.display(), key.display()))?;
    measure(&certified).with_context(|| cert.display().to_string())?;
    Ok(Arc::new(certified))
}

/// Sets the metric of when a certificate expires.
fn measure(certified: &CertifiedKey) -> anyhow::Result<()> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certified.end_entity_cert()?)?;
    let names = certificate.subject_alternative_name()?;
    let mut names = names.iter().flat_map(|names| &names.value.general_names);
    let name = names.find_map(|name| match name {
        GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    let expiry = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or_default();
    EXPIRY
        .of([("name", name.unwrap_or_default())])
        .set(Duration::from_secs(expiry).as_secs_f64());
    Ok(())
}

fn certificates(reader: &mut Reader, file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&reader.read(file)?)
        .collect::<Result<_, _>>()
        .with_context(|| file.display().to_string())?;
    ensure!(!certificates.is_empty(), "{}: no certificate", file.display());
    Ok(certificates)
}
