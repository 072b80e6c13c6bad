//! Settings of the process, read from `SOUK_*` environment variables.

use std::net::SocketAddr;

use events::Brokers;
use serde::Deserialize;
use souk_config::SecretString;
use telemetry::LogFormat;

/// Every setting of the auditor; an unknown `SOUK_*` variable is an error. The database accounts need only the read
/// rights listed in `services/auditor/grants`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: the address on which the API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: the address that serves health checks and metrics.
    pub admin_addr: SocketAddr,
    /// `SOUK_JWKS_URL`: URL of the public keys that verify access tokens.
    pub jwks_url: String,
    /// `SOUK_TLS_CA`, `SOUK_TLS_CERT`, `SOUK_TLS_KEY`, `SOUK_TLS_CALLERS`: mutual TLS with callers and with users. Without them,
    /// connections are not encrypted.
    pub tls: Option<souk_tls::Settings>,
    /// `SOUK_USERS_DATABASE_URL`: the PostgreSQL database of users, with a read-only account.
    pub users_database_url: SecretString,
    /// `SOUK_ORDERS_DATABASE_URL`: the PostgreSQL database of orders, with a read-only account.
    pub orders_database_url: SecretString,
    /// `SOUK_PAYMENTS_DATABASE_URL`: the PostgreSQL database of payments, with a read-only account.
    pub payments_database_url: SecretString,
    /// `SOUK_PSP_DATABASE_URL`: the PostgreSQL database of the payment provider, with a read-only account.
    pub psp_database_url: SecretString,
    /// `SOUK_MONGODB_URL`: the MongoDB server with a read-only account; the path names inventory's database.
    pub mongodb_url: SecretString,
    /// `SOUK_KAFKA_BROKERS`: the brokers of the domain events. If it is not set, events are not checked.
    pub kafka_brokers: Option<Brokers>,
    /// `SOUK_DEMO`: whether this is a demo. The auditor does not use it; the default is false.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`: the log format, `json` or `pretty`.
    pub log: Option<LogFormat>,
}
