//! Settings of the process, read from `SOUK_*` environment variables.

use std::net::SocketAddr;

use events::Brokers;
use secrecy::SecretString;
use serde::Deserialize;

/// Every setting of the service; an unknown `SOUK_*` variable is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: the address on which the REST API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_GRPC_ADDR`: the address on which the gRPC API listens.
    pub grpc_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: the address that serves health checks and metrics.
    pub admin_addr: SocketAddr,
    /// `SOUK_MONGODB_URL`: the MongoDB server with an account that reads and writes; the path names the database.
    pub mongodb_url: SecretString,
    /// `SOUK_AMQP_URL`: the `RabbitMQ` broker that delivers saga commands.
    pub amqp_url: SecretString,
    /// `SOUK_KAFKA_BROKERS`: the brokers to which domain events are published. If it is not set, no events are recorded.
    pub kafka_brokers: Option<Brokers>,
    /// `SOUK_JWKS_URL`: URL of the public keys that verify access tokens.
    pub jwks_url: String,
    /// `SOUK_TLS_CA`, `SOUK_TLS_CERT`, `SOUK_TLS_KEY`, `SOUK_TLS_CALLERS`: mutual TLS with callers of both APIs and with users.
    /// Without them, connections are not encrypted.
    pub tls: Option<souk_tls::Settings>,
    /// `SOUK_DEMO`: whether this is a demo; the default is false.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`: the log format, `json` or `pretty`.
    #[serde(default)]
    pub log: Option<telemetry::LogFormat>,
}

/// The settings of `inventory migrate` and `inventory seed`. Other variables are ignored, because these commands run in the
/// environment of the service.
#[derive(Debug, Deserialize)]
pub struct TaskConfig {
    /// `SOUK_MONGODB_URL`: the MongoDB server with an account that may create collections.
    pub mongodb_url: SecretString,
    /// `SOUK_LOG`: the log format, `json` or `pretty`.
    #[serde(default)]
    pub log: Option<telemetry::LogFormat>,
}
