//! The private CA of a system that has no other one. In Kubernetes, cert-manager takes its place.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

use crate::Files;

const DAY: Duration = Duration::from_hours(24);
/// How long the certificate of the CA is valid.
const CA_LIFETIME: Duration = DAY.saturating_mul(3650);
/// How long the certificate of a process is valid.
const LIFETIME: Duration = DAY.saturating_mul(730);
/// Age from which [`Authority::renew`] replaces a certificate.
const RENEW_AFTER: Duration = DAY.saturating_mul(30);
/// Certificates are valid from this time before they are issued, because clocks differ.
const CLOCK_SKEW: Duration = DAY;

/// A private CA, which is stored in a folder as `ca.pem` and `ca.key`.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    /// Opens the CA in this folder, and creates it if there is none. Only the current account can read the folder.
    pub fn open(folder: &Path) -> Result<Self> {
        private_folder(folder)?;
        let (certificate, key) = (folder.join("ca.pem"), folder.join("ca.key"));
        // The certificate is written last, so there is none if the previous attempt was interrupted.
        if !certificate.exists() {
            let new = KeyPair::generate()?;
            let params = authority()?;
            replace_file(&key, &new.serialize_pem(), 0o600)?;
            replace_file(&certificate, &params.self_signed(&new)?.pem(), 0o644)?;
        }
        let read = |file: &Path| fs::read_to_string(file).with_context(|| file.display().to_string());
        let pair = KeyPair::from_pem(&read(&key)?).with_context(|| key.display().to_string())?;
        Ok(Self {
            issuer: Issuer::new(authority()?, pair),
            certificate: read(&certificate)?,
        })
    }

    /// Writes a new certificate for a process to its folder, as `cert.pem`, `key.pem` and `ca.pem`. The DNS name in the
    /// certificate is `name`. Processes that use previous files notice that they have changed.
    pub fn issue(&self, name: &str, folder: &Path) -> Result<Files> {
        private_folder(folder)?;
        let files = files(folder);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.to_owned()])
            .with_context(|| format!("`{name}` is not a DNS name"))?;
        params.distinguished_name = named(name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        limit(&mut params, LIFETIME)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        // A process that reads the files between these steps keeps the previous pair.
        replace_file(&files.ca, &self.certificate, 0o644)?;
        replace_file(&files.key, &key.serialize_pem(), 0o600)?;
        replace_file(&files.cert, &certificate.pem(), 0o644)?;
        Ok(files)
    }

    /// Like [`Authority::issue`], unless the folder has a certificate of this CA that is less than 30 days old. Returns
    /// whether a new one was written.
    pub fn renew(&self, name: &str, folder: &Path) -> Result<bool> {
        let files = files(folder);
        let is_of_this_ca = fs::read_to_string(&files.ca).is_ok_and(|ca| ca == self.certificate);
        let age = || files.cert.metadata().ok()?.modified().ok()?.elapsed().ok();
        if is_of_this_ca && files.key.exists() && age().is_some_and(|age| age < RENEW_AFTER) {
            return Ok(false);
        }
        self.issue(name, folder).map(|_| true)
    }
}

fn files(folder: &Path) -> Files {
    Files {
        ca: folder.join("ca.pem"),
        cert: folder.join("cert.pem"),
        key: folder.join("key.pem"),
    }
}

/// The parameters of the CA. Those that are part of issued certificates must never change.
fn authority() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(vec![])?;
    params.distinguished_name = named("Souk CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    limit(&mut params, CA_LIFETIME)?;
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

/// Limits the validity to this time from now on.
fn limit(params: &mut CertificateParams, lifetime: Duration) -> Result<()> {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    params.not_before = epoch + now.saturating_sub(CLOCK_SKEW);
    params.not_after = epoch + now + lifetime;
    Ok(())
}

/// Creates a folder that only the current account can access. Keeps the mode of an existing one, such as the mount point of
/// a volume.
pub fn private_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    Ok(())
}

/// Replaces a file at once, so that no reader sees a part of it.
pub fn replace_file(file: &Path, text: &str, mode: u32) -> Result<()> {
    let draft: PathBuf = file.with_extension("draft");
    let _ = fs::remove_file(&draft);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&draft)
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&draft, file));
    written.with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ca_is_kept_and_certificates_only_while_they_are_new_and_of_this_ca() {
        let folder = tempfile::tempdir().unwrap();
        let (ca, orders) = (folder.path().join("ca"), folder.path().join("orders"));
        let read = |file: &Path| fs::read_to_string(file).unwrap();
        let first = Authority::open(&ca).unwrap();
        assert!(first.renew("orders", &orders).unwrap());
        let again = Authority::open(&ca).unwrap();
        assert!(!again.renew("orders", &orders).unwrap());
        assert_eq!(read(&ca.join("ca.pem")), read(&orders.join("ca.pem")));
        for key in [ca.join("ca.key"), orders.join("key.pem")] {
            assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }

        let old = SystemTime::now() - RENEW_AFTER;
        let certificate = fs::File::open(orders.join("cert.pem")).unwrap();
        certificate.set_modified(old).unwrap();
        assert!(again.renew("orders", &orders).unwrap(), "it is old");

        let other = Authority::open(&folder.path().join("other")).unwrap();
        assert!(other.renew("orders", &orders).unwrap(), "it is of another CA");
        assert_ne!(read(&ca.join("ca.pem")), read(&orders.join("ca.pem")));
    }
}
