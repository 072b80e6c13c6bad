//! The settings of the process, from `SOUK_*` variables.

use std::net::SocketAddr;

use events::Brokers;
use secrecy::SecretString;
use serde::Deserialize;

/// Every key that inventory knows; another `SOUK_*` key is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: where the REST API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_GRPC_ADDR`: where gRPC listens.
    pub grpc_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: where health and metrics listen.
    pub admin_addr: SocketAddr,
    /// `SOUK_MONGODB_URL`: the server, its account, and the database as the path.
    pub mongodb_url: SecretString,
    /// `SOUK_AMQP_URL`: the broker with the commands.
    pub amqp_url: SecretString,
    /// `SOUK_KAFKA_BROKERS`: where domain events are told; without it they are not, and none wait.
    pub kafka_brokers: Option<Brokers>,
    /// `SOUK_JWKS_URL`: the public keys that tokens are verified with.
    pub jwks_url: String,
    /// `SOUK_DEMO`: whether this is a demo.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`: `json` or `pretty`.
    #[serde(default)]
    pub log: Option<telemetry::LogFormat>,
}

/// What `inventory migrate` and `inventory seed` need to know; they are started with keys of the whole process around.
#[derive(Debug, Deserialize)]
pub struct TaskConfig {
    /// `SOUK_MONGODB_URL`, of an account that may create collections.
    pub mongodb_url: SecretString,
    /// `SOUK_LOG`: `json` or `pretty`.
    #[serde(default)]
    pub log: Option<telemetry::LogFormat>,
}
