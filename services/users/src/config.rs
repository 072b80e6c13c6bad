//! Settings, read from `SOUK_*` environment variables.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{bail, ensure};
use contracts::MailTokens;
use events::Brokers;
use serde::Deserialize;
use souk_config::{ExposeSecret, SecretString};
use telemetry::LogFormat;

/// Default secret for the signing keys in demo mode. It is public, so it is refused otherwise.
const DEMO_SECRET: &str = "souk demo: not a secret, do not use";

/// Settings of the service and its commands, as loaded by [`souk_config::load`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address on which the API listens.
    pub http_addr: SocketAddr,
    /// Address on which the health checks and metrics are served.
    pub admin_addr: SocketAddr,
    /// The accounts' PostgreSQL database. `migrate` needs the account that owns the schema.
    pub database_url: SecretString,
    /// Number of database connections. Default: 8.
    #[serde(default = "default_connections")]
    pub database_connections: u32,
    /// Kafka brokers to which domain events are published. Without them, none are.
    #[serde(default)]
    pub kafka_brokers: Option<Brokers>,
    /// Secret that encrypts the signing keys in the database, at least 32 bytes. Required outside demo mode.
    #[serde(default)]
    pub key_encryption_secret: Option<SecretString>,
    /// Secret from which the tokens in emails are derived, at least 32 bytes; notifications must have the same one.
    /// Required outside demo mode.
    #[serde(default)]
    pub mail_token_secret: Option<SecretString>,
    /// URL of the public keys that verify access tokens. Default: this process's own endpoint.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// Mutual TLS with callers, by `SOUK_TLS_CA`, `SOUK_TLS_CERT`, `SOUK_TLS_KEY` and `SOUK_TLS_CALLERS`. Without them,
    /// connections are not encrypted.
    pub tls: Option<souk_tls::Settings>,
    /// Origins of pages that may use the session cookie, besides the service's own. Default: none.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// Demo mode: accounts can be used without verifying their email address, and secrets have defaults.
    #[serde(default)]
    pub demo: bool,
    /// Format of the log.
    #[serde(default)]
    pub log: LogFormat,
}

fn default_connections() -> u32 {
    8
}

impl Config {
    /// Returns the secret that encrypts the signing keys. Outside demo mode it must be set, and not to the demo's secret.
    pub fn key_encryption_secret(&self) -> anyhow::Result<SecretString> {
        let configured = self.key_encryption_secret.as_ref();
        self.secret("SOUK_KEY_ENCRYPTION_SECRET", configured, DEMO_SECRET)
    }

    /// Returns the deriver of the tokens in emails. Outside demo mode its secret must be set, and not to the demo's secret.
    pub fn mail_tokens(&self) -> anyhow::Result<MailTokens> {
        let configured = self.mail_token_secret.as_ref();
        let secret = self.secret("SOUK_MAIL_TOKEN_SECRET", configured, MailTokens::DEMO_SECRET)?;
        Ok(MailTokens::new(secret.expose_secret()))
    }

    fn secret(
        &self,
        name: &str,
        configured: Option<&SecretString>,
        demo_secret: &str,
    ) -> anyhow::Result<SecretString> {
        match configured {
            Some(secret) => {
                let text = secret.expose_secret();
                ensure!(text.len() >= 32, "{name}: expected at least 32 characters");
                ensure!(
                    self.demo || text != demo_secret,
                    "{name}: the demo's secret is refused outside demo mode"
                );
                Ok(secret.clone())
            }
            None if self.demo => Ok(demo_secret.into()),
            None => bail!("{name} is not set; only SOUK_DEMO=true has a default"),
        }
    }

    /// Returns the URL of the public keys; without a setting, that of this process.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        self.jwks_url.clone().unwrap_or_else(|| {
            let mut addr = self.http_addr;
            if addr.ip().is_unspecified() {
                addr.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
            }
            let scheme = if self.tls.is_some() { "https" } else { "http" };
            format!("{scheme}://{addr}/.well-known/jwks.json")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &[(&str, &str)]) -> Config {
        let all = [
            ("SOUK_HTTP_ADDR", "0.0.0.0:8081"),
            ("SOUK_ADMIN_ADDR", "0.0.0.0:9090"),
            ("SOUK_DATABASE_URL", "postgres://x"),
        ];
        let vars = all.iter().chain(more);
        souk_config::from_vars(vars.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))).unwrap()
    }

    #[test]
    fn default_secrets_are_refused_outside_demo_mode() {
        assert!(config(&[]).key_encryption_secret().is_err());
        assert!(souk_config::is_published(DEMO_SECRET));
        assert!(
            config(&[("SOUK_KEY_ENCRYPTION_SECRET", "short")])
                .key_encryption_secret()
                .is_err()
        );
        let demo = [("SOUK_DEMO", "true"), ("SOUK_PUBLISHED_ADDR", "127.0.0.1")];
        assert!(config(&demo).key_encryption_secret().is_ok());
        let long = "x".repeat(32);
        assert!(
            config(&[("SOUK_KEY_ENCRYPTION_SECRET", &long)])
                .key_encryption_secret()
                .is_ok()
        );
        assert_eq!(
            config(&[]).jwks_url(),
            "http://127.0.0.1:8081/.well-known/jwks.json"
        );
    }
}
