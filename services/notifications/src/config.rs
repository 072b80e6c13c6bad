//! The settings of the process.

use std::net::SocketAddr;

use events::Brokers;
use serde::Deserialize;
use souk_config::SecretString;
use telemetry::LogFormat;

/// `notifications`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: where the API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: where health and metrics listen.
    pub admin_addr: SocketAddr,
    /// `SOUK_DATABASE_URL`.
    pub database_url: SecretString,
    /// `SOUK_JWKS_URL`: the keys that sign access tokens.
    pub jwks_url: String,
    /// `SOUK_KAFKA_BROKERS`: where events come from. Without it none come, and all else works.
    pub kafka_brokers: Option<Brokers>,
    /// `SOUK_SMTP_URL`: `smtp://`, or `smtps://` with an account. Without it mails are kept, and given up in the end.
    pub smtp_url: Option<SecretString>,
    /// `SOUK_MAIL_FROM`: who mails come from.
    #[serde(default = "mail_from")]
    pub mail_from: String,
    /// `SOUK_SHOP_URL`: the storefront, for links in mails.
    #[serde(default = "shop_url")]
    pub shop_url: String,
    /// `SOUK_DEMO`: whether this is a demo; nothing here depends on it.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`.
    pub log: Option<LogFormat>,
}

fn mail_from() -> String {
    "Souk <hello@souk.test>".to_owned()
}

fn shop_url() -> String {
    "http://localhost:8080".to_owned()
}

/// `notifications migrate`; it may be given the other keys, and ignores them.
#[derive(Debug, Deserialize)]
pub struct Migrate {
    /// `SOUK_DATABASE_URL`, of the account that owns the schema.
    pub database_url: SecretString,
}
