//! The settings of the process.

use std::net::SocketAddr;

use anyhow::ensure;
use contracts::MailTokens;
use events::Brokers;
use serde::Deserialize;
use souk_config::{ExposeSecret, SecretString};
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
    /// `SOUK_MAIL_TOKEN_SECRET`: at least 32 characters, the same as that of users. The tokens in mails are derived from
    /// it. Required outside demo mode.
    #[serde(default)]
    pub mail_token_secret: Option<SecretString>,
    /// `SOUK_DEMO`: whether this is a demo, in which the mail tokens may have the demo's secret.
    #[serde(default)]
    pub demo: bool,
    /// `SOUK_LOG`.
    pub log: Option<LogFormat>,
}

impl Config {
    /// The tokens of mails. Outside demo mode the secret has no default, and the demo's is refused.
    pub fn mail_tokens(&self) -> anyhow::Result<MailTokens> {
        const NAME: &str = "SOUK_MAIL_TOKEN_SECRET";
        let Some(secret) = &self.mail_token_secret else {
            ensure!(self.demo, "{NAME} is not set; only SOUK_DEMO=true has a default");
            return Ok(MailTokens::new(MailTokens::DEMO_SECRET));
        };
        let secret = secret.expose_secret();
        ensure!(secret.len() >= 32, "{NAME}: expected at least 32 characters");
        ensure!(
            self.demo || secret != MailTokens::DEMO_SECRET,
            "{NAME}: the demo's secret is refused outside demo mode"
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

/// `notifications migrate`; it may be given the other keys, and ignores them.
#[derive(Debug, Deserialize)]
pub struct Migrate {
    /// `SOUK_DATABASE_URL`, of the account that owns the schema.
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
    fn refuses_a_default_secret_outside_the_demo() {
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
