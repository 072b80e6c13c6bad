//! Certificates from a CA that speaks ACME (RFC 8555). The CA verifies a host by a TLS connection that offers only the
//! protocol `acme-tls/1`, to which the listener responds with a certificate for this challenge (`tls-alpn-01`, RFC 8737).

use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use serde::{Deserialize, Serialize};
use souk_tls::{private_folder, replace_file};
use x509_parser::{extensions::GeneralName, pem::Pem};

use crate::config;

/// The protocol (ALPN) of a connection by which the CA verifies a host.
pub(super) const PROTOCOL: &[u8] = b"acme-tls/1";
/// Time between two checks of the age of the certificate.
const INTERVAL: Duration = Duration::from_mins(10);
/// Time between a failure and the next attempt. Let's Encrypt refuses a host for an hour after five failures.
const PAUSE: Duration = Duration::from_mins(15);
/// How long and how often the CA is asked for its decision.
const POLL: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(500))
    .timeout(Duration::from_mins(1));

/// Keeps the certificate of a listener current.
#[derive(Debug)]
pub(super) struct Acme {
    config: config::Acme,
    /// Certificates for the challenges in progress, by host.
    challenges: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

/// The account at a CA, as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// URL of the directory of the CA.
    directory: String,
    credentials: AccountCredentials,
}

impl Acme {
    /// Creates the folder and, if there is no certificate yet, one that has expired and that no client accepts. A TLS listener
    /// needs one, and the CA verifies a host through the listener.
    pub(super) fn new(config: &config::Acme) -> Result<Arc<Self>> {
        private_folder(&config.folder)?;
        if !config.certificate().exists() {
            let hosts: Vec<_> = config.hosts.iter().map(|host| host.value.clone()).collect();
            let mut params = CertificateParams::new(hosts)?;
            params.not_after = rcgen::date_time_ymd(2000, 1, 1);
            let key = KeyPair::generate()?;
            let placeholder = params.self_signed(&key)?.pem();
            replace_file(
                &config.certificate(),
                &(key.serialize_pem() + &placeholder),
                0o600,
            )?;
        }
        Ok(Arc::new(Self {
            config: config.clone(),
            challenges: Mutex::default(),
        }))
    }

    /// The certificate for the challenge of a host, if one is in progress.
    pub(super) fn challenge(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        self.challenges().get(host).cloned()
    }

    fn challenges(&self) -> MutexGuard<'_, HashMap<String, Arc<CertifiedKey>>> {
        self.challenges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Obtains a certificate whenever one is due. A failure is logged and tried again in 15 minutes.
    pub(super) async fn run(&self) {
        loop {
            let pause = match self.renew().await {
                Ok(()) => INTERVAL,
                Err(error) => {
                    tracing::error!(
                        directory = self.config.directory,
                        error = format!("{error:#}"),
                        "no certificate was obtained by ACME; the previous one stays in use, next attempt in 15 minutes"
                    );
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn renew(&self) -> Result<()> {
        let file = self.config.certificate();
        let current = fs::read(&file).with_context(|| file.display().to_string())?;
        let hosts = self.config.hosts.iter().map(|host| host.value.as_str());
        if !is_due(&current, &hosts.collect(), SystemTime::now())? {
            return Ok(());
        }
        let renewed = self.obtain().await;
        self.challenges().clear();
        // One file with both, so that they always belong together.
        replace_file(&file, &renewed?, 0o600)?;
        tracing::info!(
            directory = self.config.directory,
            "obtained a certificate by ACME"
        );
        Ok(())
    }

    /// Orders a certificate. Returns the key and the certificate as PEM.
    async fn obtain(&self) -> Result<String> {
        let hosts = self
            .config
            .hosts
            .iter()
            .map(|host| Identifier::Dns(host.value.clone()));
        let hosts: Vec<_> = hosts.collect();
        let mut order = self.account().await?.new_order(&NewOrder::new(&hosts)).await?;
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
            let mut challenge = challenge.context("the CA does not offer the challenge tls-alpn-01")?;
            let host = challenge.identifier().to_string();
            let certificate = challenge_certificate(&host, challenge.key_authorization().digest().as_ref())?;
            self.challenges().insert(host, certificate);
            challenge.set_ready().await?;
        }
        if order.poll_ready(&POLL).await? != OrderStatus::Ready {
            bail!("the CA refuses the order: {}", reasons(&mut order).await?);
        }
        let key = order.finalize().await?;
        Ok(key + &order.poll_certificate(&POLL).await?)
    }

    /// The stored account, or a new one, which is stored.
    async fn account(&self) -> Result<Account> {
        let builder = match &self.config.ca {
            Some(ca) => Account::builder_with_root(ca).with_context(|| ca.display().to_string())?,
            None => Account::builder()?,
        };
        let file = self.config.folder.join("account.json");
        let stored: Option<Stored> = match fs::read(&file) {
            Ok(text) => Some(serde_json::from_slice(&text).with_context(|| file.display().to_string())?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| file.display().to_string()),
        };
        let directory = self.config.directory.clone();
        if let Some(stored) = stored.filter(|stored| stored.directory == directory) {
            return Ok(builder.from_credentials(stored.credentials).await?);
        }
        let contact = self
            .config
            .contact
            .as_ref()
            .map(|email| format!("mailto:{email}"));
        let new = NewAccount {
            contact: &contact.as_deref().into_iter().collect::<Vec<_>>(),
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let (account, credentials) = builder.create(&new, directory.clone(), None).await?;
        let stored = Stored {
            directory,
            credentials,
        };
        replace_file(&file, &serde_json::to_string(&stored)?, 0o600)?;
        Ok(account)
    }
}

/// Why the CA could not verify the hosts of an order.
async fn reasons(order: &mut Order) -> Result<String> {
    let mut reasons = vec![];
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization?;
        let host = authorization.identifier().to_string();
        let errors = authorization
            .challenges
            .iter()
            .filter_map(|challenge| challenge.error.as_ref());
        reasons.extend(errors.map(|error| format!("{host}: {error}")));
    }
    Ok(reasons.join("; "))
}

/// The certificate by which a host proves to the CA that it is under the control of this account.
fn challenge_certificate(host: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>> {
    let mut params = CertificateParams::new(vec![host.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // `CertifiedKey::from_der` would refuse the extension, which RFC 8737 requires to be critical.
    let key = aws_lc_rs::sign::any_supported_type(&key)?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate], key)))
}

/// Whether a new certificate is due: two thirds of the lifetime of the current one have passed, or it is for other hosts.
fn is_due(current: &[u8], hosts: &BTreeSet<&str>, now: SystemTime) -> Result<bool> {
    let pem = Pem::iter_from_buffer(current)
        .find(|pem| pem.as_ref().is_ok_and(|pem| pem.label == "CERTIFICATE"))
        .context("the file has no certificate")??;
    let certificate = pem.parse_x509()?;
    let names = certificate.subject_alternative_name()?;
    let names = names.iter().flat_map(|names| &names.value.general_names);
    let names: BTreeSet<_> = names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(*name),
            _ => None,
        })
        .collect();
    let validity = certificate.validity();
    let (from, until) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let now = i64::try_from(now.duration_since(UNIX_EPOCH)?.as_secs())?;
    Ok(names != *hosts || now >= from + (until - from) / 3 * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    fn certificate(hosts: &[&str], days: u64) -> Vec<u8> {
        let mut params =
            CertificateParams::new(hosts.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = params.not_before + Duration::from_secs(days * DAY);
        let key = KeyPair::generate().unwrap();
        (key.serialize_pem() + &params.self_signed(&key).unwrap().pem()).into_bytes()
    }

    /// This number of days after 2026-01-01.
    fn after(days: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs((20_454 + days) * DAY)
    }

    #[test]
    fn a_certificate_is_due_after_two_thirds_of_its_lifetime_or_for_other_hosts() {
        let hosts = BTreeSet::from(["shop.example", "www.shop.example"]);
        let current = certificate(&["www.shop.example", "shop.example"], 90);
        assert!(!is_due(&current, &hosts, after(59)).unwrap());
        assert!(is_due(&current, &hosts, after(60)).unwrap());
        let short = certificate(&["shop.example", "www.shop.example"], 6);
        assert!(!is_due(&short, &hosts, after(3)).unwrap());
        assert!(is_due(&short, &hosts, after(4)).unwrap());
        let fewer = BTreeSet::from(["shop.example"]);
        assert!(is_due(&current, &fewer, after(1)).unwrap());
        assert!(is_due(b"not PEM", &hosts, after(1)).is_err());
    }

    #[test]
    fn the_first_certificate_is_due_and_only_the_gateway_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "{{hosts: [shop.example], folder: {}/acme}}",
            folder.path().display()
        );
        let config: config::Acme = serde_saphyr::from_str(&text).unwrap();
        let acme = Acme::new(&config).unwrap();
        let placeholder = fs::read(config.certificate()).unwrap();
        assert!(is_due(&placeholder, &BTreeSet::from(["shop.example"]), SystemTime::now()).unwrap());
        let mode = fs::metadata(config.certificate()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(acme.challenge("shop.example").is_none());
        Acme::new(&config).unwrap();
        assert_eq!(fs::read(config.certificate()).unwrap(), placeholder, "it is kept");
    }
}
