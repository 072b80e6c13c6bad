//! Settings, read from `SOUK_*` environment variables.

use std::net::SocketAddr;

use serde::Deserialize;
use souk_config::SecretString;
use telemetry::LogFormat;

/// Settings of the server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: the address on which the API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: the address on which the health checks and metrics are served.
    pub admin_addr: SocketAddr,
    /// `SOUK_DATABASE_URL`: the provider's PostgreSQL database.
    pub database_url: SecretString,
    /// `SOUK_API_KEY`: the key that the merchant's requests must carry.
    pub api_key: SecretString,
    /// `SOUK_WEBHOOK_URL`: the URL to which events are delivered.
    pub webhook_url: String,
    /// `SOUK_WEBHOOK_SECRET`: the secret with which events are signed.
    pub webhook_secret: SecretString,
    /// `SOUK_DEMO`: whether to deliver some events late or twice on purpose. Default: false.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`: the format of the log.
    pub log: Option<LogFormat>,
}

/// Settings of `psp migrate`. Other variables are ignored.
#[derive(Debug, Deserialize)]
pub struct Migrate {
    /// `SOUK_DATABASE_URL`: the database, with the account that owns the schema.
    pub database_url: SecretString,
}
