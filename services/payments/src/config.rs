//! Settings, read from `SOUK_*` environment variables.

use std::net::SocketAddr;

use events::Brokers;
use serde::Deserialize;
use souk_config::SecretString;
use telemetry::LogFormat;

/// Settings of the service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: the address on which the API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: the address on which the health checks and metrics are served.
    pub admin_addr: SocketAddr,
    /// `SOUK_DATABASE_URL`: the service's PostgreSQL database.
    pub database_url: SecretString,
    /// `SOUK_AMQP_URL`: the RabbitMQ broker for commands and replies.
    pub amqp_url: SecretString,
    /// `SOUK_KAFKA_BROKERS`: the Kafka brokers to which domain events are published. Without it, none are.
    pub kafka_brokers: Option<Brokers>,
    /// `SOUK_JWKS_URL`: the URL of the public keys that verify access tokens.
    pub jwks_url: String,
    /// `SOUK_TLS_CA`, `SOUK_TLS_CERT`, `SOUK_TLS_KEY`, `SOUK_TLS_CALLERS`: mutual TLS with callers and with users. Without them,
    /// connections are not encrypted.
    pub tls: Option<souk_tls::Settings>,
    /// `SOUK_PSP_URL`: the base URL of the payment provider's API.
    pub psp_url: String,
    /// `SOUK_PSP_API_KEY`: our API key at the payment provider.
    pub psp_api_key: SecretString,
    /// `SOUK_PSP_WEBHOOK_SECRETS`: the secret that signs the provider's webhooks; two, separated by a comma, during a
    /// rotation.
    pub psp_webhook_secrets: Vec<SecretString>,
    /// `SOUK_DEMO`: accepted because every service has it; this service ignores it.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`: the format of the log.
    pub log: Option<LogFormat>,
}

impl Config {
    /// Checks what the types cannot: there must be one or two webhook secrets.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            matches!(self.psp_webhook_secrets.len(), 1 | 2),
            "SOUK_PSP_WEBHOOK_SECRETS must hold one or two secrets"
        );
        Ok(())
    }
}

/// Settings of `payments migrate`. Other variables are ignored.
#[derive(Debug, Deserialize)]
pub struct Migrate {
    /// `SOUK_DATABASE_URL`: the database, with the account that owns the schema.
    pub database_url: SecretString,
}
