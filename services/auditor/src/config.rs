//! The settings of the process, from `SOUK_*` variables.

use std::net::SocketAddr;

use events::Brokers;
use serde::Deserialize;
use souk_config::SecretString;
use telemetry::LogFormat;

/// Every key that the auditor knows; another `SOUK_*` key is an error. The databases' accounts need no right but to read
/// what `services/auditor/grants` names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: where the API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: where health and metrics listen.
    pub admin_addr: SocketAddr,
    /// `SOUK_JWKS_URL`: the public keys that tokens are verified with.
    pub jwks_url: String,
    /// `SOUK_USERS_DATABASE_URL`.
    pub users_database_url: SecretString,
    /// `SOUK_ORDERS_DATABASE_URL`.
    pub orders_database_url: SecretString,
    /// `SOUK_PAYMENTS_DATABASE_URL`.
    pub payments_database_url: SecretString,
    /// `SOUK_PSP_DATABASE_URL`.
    pub psp_database_url: SecretString,
    /// `SOUK_MONGODB_URL`: the server, its account, and inventory's database as the path.
    pub mongodb_url: SecretString,
    /// `SOUK_KAFKA_BROKERS`: the domain events; without it they are not checked.
    pub kafka_brokers: Option<Brokers>,
    /// `SOUK_DEMO`: whether this is a demo; nothing here depends on it yet.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`: `json` or `pretty`.
    pub log: Option<LogFormat>,
}
