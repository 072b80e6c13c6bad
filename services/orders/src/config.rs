//! Settings, read from `SOUK_*` environment variables.

use std::net::SocketAddr;

use events::Brokers;
use serde::Deserialize;
use souk_config::SecretString;
use telemetry::LogFormat;

/// Settings of the service. An unknown `SOUK_*` variable is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: the address on which the API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: the address on which the health checks and metrics are served.
    pub admin_addr: SocketAddr,
    /// `SOUK_DATABASE_URL`: the service's PostgreSQL database, with an account that can read and change rows.
    pub database_url: SecretString,
    /// `SOUK_AMQP_URL`: the RabbitMQ broker for commands and replies.
    pub amqp_url: SecretString,
    /// `SOUK_KAFKA_BROKERS`: the Kafka brokers to which domain events are published. Without it, none are.
    pub kafka_brokers: Option<Brokers>,
    /// `SOUK_JWKS_URL`: the URL of the public keys that verify access tokens.
    pub jwks_url: String,
    /// `SOUK_TLS_CA`, `SOUK_TLS_CERT`, `SOUK_TLS_KEY`, `SOUK_TLS_CALLERS`: mutual TLS with callers, users and inventory. Without
    /// them, connections are not encrypted.
    pub tls: Option<souk_tls::Settings>,
    /// `SOUK_INVENTORY_GRPC_URL`: the gRPC endpoint of inventory, such as `http://inventory:9083`.
    pub inventory_grpc_url: String,
    /// `SOUK_DEMO`: whether fault switches can be set. False if absent.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`: the format of the log, `json` or `pretty`.
    pub log: Option<LogFormat>,
}

/// Settings of `orders migrate`. Other variables are ignored.
#[derive(Debug, Deserialize)]
pub struct Migrate {
    /// `SOUK_DATABASE_URL`: the database, with the account that owns the schema.
    pub database_url: SecretString,
    /// `SOUK_LOG`: the format of the log, `json` or `pretty`.
    pub log: Option<LogFormat>,
}
