//! The settings of the process.

use std::net::SocketAddr;

use serde::Deserialize;
use souk_config::SecretString;
use telemetry::LogFormat;

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
    /// `SOUK_DEMO`: deliver some events late or twice.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`.
    pub log: Option<LogFormat>,
}

/// `psp migrate`; it may be given the other keys, and ignores them.
#[derive(Debug, Deserialize)]
pub struct Migrate {
    /// `SOUK_DATABASE_URL`, of the account that owns the schema.
    pub database_url: SecretString,
}
