//! The settings of the process, from `SOUK_*` variables.

use std::net::SocketAddr;

use events::Brokers;
use serde::Deserialize;
use souk_config::SecretString;
use telemetry::LogFormat;

/// Every key that orders knows; another `SOUK_*` key is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: where the API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: where health and metrics listen.
    pub admin_addr: SocketAddr,
    /// `SOUK_DATABASE_URL`: the orders database, of the account that may change rows.
    pub database_url: SecretString,
    /// `SOUK_AMQP_URL`: the broker.
    pub amqp_url: SecretString,
    /// `SOUK_KAFKA_BROKERS`: where domain events are told; without it they are not.
    pub kafka_brokers: Option<Brokers>,
    /// `SOUK_JWKS_URL`: the public keys that tokens are verified with.
    pub jwks_url: String,
    /// `SOUK_INVENTORY_GRPC_URL`: where quotes come from, such as `http://inventory:9083`.
    pub inventory_grpc_url: String,
    /// `SOUK_DEMO`: whether this is a demo, which has fault switches.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`: `json` or `pretty`.
    pub log: Option<LogFormat>,
}

/// `orders migrate`; it may be given the other keys, and ignores them.
#[derive(Debug, Deserialize)]
pub struct Migrate {
    /// `SOUK_DATABASE_URL`, of the account that owns the schema.
    pub database_url: SecretString,
    /// `SOUK_LOG`: `json` or `pretty`.
    pub log: Option<LogFormat>,
}
