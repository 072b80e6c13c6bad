//! The settings of the process.

use std::net::SocketAddr;

use serde::Deserialize;
use souk_config::{ExposeSecret, SecretString};
use telemetry::LogFormat;

/// Values that everyone can read in the repository; fit for a demo only.
const DEMO_SECRETS: [&str; 2] = ["sk_demo_souk", "whsec_demo_souk"];

/// `psp`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: where the API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: where health and metrics listen.
    pub admin_addr: SocketAddr,
    /// `SOUK_DATABASE_URL`.
    pub database_url: SecretString,
    /// `SOUK_API_KEY`: what the merchant's requests must bear.
    pub api_key: SecretString,
    /// `SOUK_WEBHOOK_URL`: where events are delivered to.
    pub webhook_url: String,
    /// `SOUK_WEBHOOK_SECRET`: signs the events.
    pub webhook_secret: SecretString,
    /// `SOUK_DEMO`: accept the published secrets, and deliver some events late or twice.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`.
    pub log: Option<LogFormat>,
}

impl Config {
    /// Refuses secrets that are in the repository, unless this is a demo.
    pub fn check(&self) -> anyhow::Result<()> {
        let used = [&self.api_key, &self.webhook_secret];
        let published = used
            .iter()
            .any(|secret| DEMO_SECRETS.contains(&secret.expose_secret()));
        anyhow::ensure!(
            self.demo || !published,
            "SOUK_API_KEY and SOUK_WEBHOOK_SECRET must not be the published demo values outside demo mode"
        );
        Ok(())
    }
}

/// `psp migrate`; it may be given the other keys, and ignores them.
#[derive(Debug, Deserialize)]
pub struct Migrate {
    /// `SOUK_DATABASE_URL`, of the account that owns the schema.
    pub database_url: SecretString,
}
