//! The settings of the process.

use std::net::SocketAddr;

use events::Brokers;
use serde::Deserialize;
use souk_config::SecretString;
use telemetry::LogFormat;

/// `payments`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: where the API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: where health and metrics listen.
    pub admin_addr: SocketAddr,
    /// `SOUK_DATABASE_URL`.
    pub database_url: SecretString,
    /// `SOUK_AMQP_URL`.
    pub amqp_url: SecretString,
    /// `SOUK_KAFKA_BROKERS`: where domain events are told; without it they are not.
    pub kafka_brokers: Option<Brokers>,
    /// `SOUK_JWKS_URL`: the keys that sign access tokens.
    pub jwks_url: String,
    /// `SOUK_PSP_URL`: the provider's API.
    pub psp_url: String,
    /// `SOUK_PSP_API_KEY`: ours at the provider.
    pub psp_api_key: SecretString,
    /// `SOUK_PSP_WEBHOOK_SECRETS`: one, or two while they are being changed, separated by a comma.
    pub psp_webhook_secrets: Vec<SecretString>,
    /// `SOUK_DEMO`: whether this is a demo; nothing here depends on it.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`.
    pub log: Option<LogFormat>,
}

impl Config {
    /// Refuses what would run but not be safe.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            matches!(self.psp_webhook_secrets.len(), 1 | 2),
            "SOUK_PSP_WEBHOOK_SECRETS must hold one or two secrets"
        );
        Ok(())
    }
}

/// `payments migrate`; it may be given the other keys, and ignores them.
#[derive(Debug, Deserialize)]
pub struct Migrate {
    /// `SOUK_DATABASE_URL`, of the account that owns the schema.
    pub database_url: SecretString,
}
