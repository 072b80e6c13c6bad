//! Settings of the process, read from `SOUK_*` environment variables.

use std::net::SocketAddr;

use anyhow::ensure;
use contracts::MailTokens;
use events::Brokers;
use serde::Deserialize;
use souk_config::{ExposeSecret, SecretString};
use telemetry::LogFormat;

/// Every setting of the service; an unknown `SOUK_*` variable is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `SOUK_HTTP_ADDR`: the address on which the API listens.
    pub http_addr: SocketAddr,
    /// `SOUK_ADMIN_ADDR`: the address that serves health checks and metrics.
    pub admin_addr: SocketAddr,
    /// `SOUK_DATABASE_URL`: the PostgreSQL database of the service.
    pub database_url: SecretString,
    /// `SOUK_JWKS_URL`: URL of the public keys that verify access tokens.
    pub jwks_url: String,
    /// `SOUK_TLS_CA`, `SOUK_TLS_CERT`, `SOUK_TLS_KEY`, `SOUK_TLS_CALLERS`: mutual TLS with callers and with users. Without them,
    /// connections are not encrypted.
    pub tls: Option<souk_tls::Settings>,
    /// `SOUK_KAFKA_BROKERS`: the brokers from which events are consumed. If it is not set, no events are consumed.
    pub kafka_brokers: Option<Brokers>,
    /// `SOUK_SMTP_URL`: the mail server, as `smtp://host:port` or `smtps://user:password@host`. If it is not set, mails wait
    /// and fail after three days.
    pub smtp_url: Option<SecretString>,
    /// `SOUK_MAIL_FROM`: the sender of mails; the default is `Souk <hello@souk.test>`.
    #[serde(default = "mail_from")]
    pub mail_from: String,
    /// `SOUK_SHOP_URL`: the storefront to which links in mails lead; the default is `http://localhost:8080`.
    #[serde(default = "shop_url")]
    pub shop_url: String,
    /// `SOUK_MAIL_TOKEN_SECRET`: the secret from which tokens in mails are derived, at least 32 characters. It must be the
    /// same as in the users service. Required outside demo mode.
    #[serde(default)]
    pub mail_token_secret: Option<SecretString>,
    /// `SOUK_DEMO`: whether this is a demo, which allows the published demo secret for mail tokens. The default is false.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`: the log format, `json` or `pretty`.
    pub log: Option<LogFormat>,
}

impl Config {
    /// Creates the generator of mail tokens. Fails if the secret is shorter than 32 characters, or if it is missing or the
    /// demo's secret outside demo mode.
    pub fn mail_tokens(&self) -> anyhow::Result<MailTokens> {
        const NAME: &str = "SOUK_MAIL_TOKEN_SECRET";
        let Some(secret) = &self.mail_token_secret else {
            ensure!(
                self.demo,
                "{NAME} is not set; it has a default only with SOUK_DEMO=true"
            );
            return Ok(MailTokens::new(MailTokens::DEMO_SECRET));
        };
        let secret = secret.expose_secret();
        ensure!(secret.len() >= 32, "{NAME}: expected at least 32 characters");
        ensure!(
            self.demo || secret != MailTokens::DEMO_SECRET,
            "{NAME}: the demo secret is not allowed outside demo mode"
        );
        Ok(MailTokens::new(secret))
    }
}

fn mail_from() -> String {
    "Souk <hello@souk.test>".to_owned()
}

fn shop_url() -> String {
    "http://localhost:8080".to_owned()
}

/// The settings of `notifications migrate`. Other variables are ignored.
#[derive(Debug, Deserialize)]
pub struct Migrate {
    /// `SOUK_DATABASE_URL`: the PostgreSQL database with the account that owns the schema.
    pub database_url: SecretString,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &[(&str, &str)]) -> Config {
        let all = [
            ("SOUK_HTTP_ADDR", "0.0.0.0:8087"),
            ("SOUK_ADMIN_ADDR", "0.0.0.0:9090"),
            ("SOUK_DATABASE_URL", "postgres://x"),
            ("SOUK_JWKS_URL", "http://x"),
        ];
        let vars = all.iter().chain(more);
        souk_config::from_vars(vars.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))).unwrap()
    }

    #[test]
    fn rejects_a_missing_or_short_secret_outside_demo_mode() {
        const KEY: &str = "SOUK_MAIL_TOKEN_SECRET";
        for refused in [&[][..], &[(KEY, "short")]] {
            config(refused).mail_tokens().unwrap_err();
        }
        assert!(souk_config::is_published(MailTokens::DEMO_SECRET));
        config(&[("SOUK_DEMO", "true"), ("SOUK_PUBLISHED_ADDR", "127.0.0.1")])
            .mail_tokens()
            .unwrap();
        config(&[(KEY, "a secret of tests, longer than 32 characters")])
            .mail_tokens()
            .unwrap();
    }
}
