//! The settings of the process.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{bail, ensure};
use contracts::MailTokens;
use events::Brokers;
use serde::Deserialize;
use souk_config::{ExposeSecret, SecretString};
use telemetry::LogFormat;

/// What encrypts the signing keys of a demo, and of nothing else.
const DEMO_SECRET: &str = "souk demo: not a secret, do not use";

/// `SOUK_*`; see [`souk_config::load`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the API listens.
    pub http_addr: SocketAddr,
    /// Where health and metrics are.
    pub admin_addr: SocketAddr,
    /// The accounts' database: the owner's account for `migrate`, the application's otherwise.
    pub database_url: SecretString,
    /// Size of the pool.
    #[serde(default = "ten")]
    pub database_connections: u32,
    /// Where domain events are told; without it they are not.
    #[serde(default)]
    pub kafka_brokers: Option<Brokers>,
    /// At least 32 characters; encrypts the signing keys in the database. Required outside demo mode.
    #[serde(default)]
    pub key_encryption_secret: Option<SecretString>,
    /// At least 32 characters, the same as that of notifications: the tokens in mails are derived from it. Required
    /// outside demo mode.
    #[serde(default)]
    pub mail_token_secret: Option<SecretString>,
    /// Where this process's own keys are published; by default at its own address.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// Origins of browsers that may use the session cookie, besides the address they called.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// Accounts are usable at once, without a mail.
    #[serde(default)]
    pub demo: bool,
    /// Form of the log.
    #[serde(default)]
    pub log: LogFormat,
}

fn ten() -> u32 {
    10
}

impl Settings {
    /// The secret of the signing keys. Outside demo mode there is no default, and the demo's is refused.
    pub fn key_encryption_secret(&self) -> anyhow::Result<SecretString> {
        let given = self.key_encryption_secret.as_ref();
        self.secret("SOUK_KEY_ENCRYPTION_SECRET", given, DEMO_SECRET)
    }

    /// The tokens of mails, under the secret that notifications has, too. Outside demo mode there is no default, and the
    /// demo's is refused.
    pub fn mail_tokens(&self) -> anyhow::Result<MailTokens> {
        let given = self.mail_token_secret.as_ref();
        let secret = self.secret("SOUK_MAIL_TOKEN_SECRET", given, MailTokens::DEMO_SECRET)?;
        Ok(MailTokens::new(secret.expose_secret()))
    }

    fn secret(
        &self,
        name: &str,
        given: Option<&SecretString>,
        of_the_demo: &str,
    ) -> anyhow::Result<SecretString> {
        match given {
            Some(secret) => {
                let text = secret.expose_secret();
                ensure!(text.len() >= 32, "{name}: expected at least 32 characters");
                ensure!(
                    self.demo || text != of_the_demo,
                    "{name}: the demo's secret is refused outside demo mode"
                );
                Ok(secret.clone())
            }
            None if self.demo => Ok(of_the_demo.into()),
            None => bail!("{name} is not set; only SOUK_DEMO=true has a default"),
        }
    }

    /// Where the keys are that verify this process's own tokens.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        self.jwks_url.clone().unwrap_or_else(|| {
            let mut addr = self.http_addr;
            if addr.ip().is_unspecified() {
                addr.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
            }
            format!("http://{addr}/.well-known/jwks.json")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(more: &[(&str, &str)]) -> Settings {
        let all = [
            ("SOUK_HTTP_ADDR", "0.0.0.0:8081"),
            ("SOUK_ADMIN_ADDR", "0.0.0.0:9090"),
            ("SOUK_DATABASE_URL", "postgres://x"),
        ];
        let vars = all.iter().chain(more);
        souk_config::from_vars(vars.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))).unwrap()
    }

    #[test]
    fn refuses_a_default_secret_outside_the_demo() {
        assert!(settings(&[]).key_encryption_secret().is_err());
        assert!(souk_config::is_published(DEMO_SECRET));
        assert!(
            settings(&[("SOUK_KEY_ENCRYPTION_SECRET", "short")])
                .key_encryption_secret()
                .is_err()
        );
        let demo = [("SOUK_DEMO", "true"), ("SOUK_PUBLISHED_ADDR", "127.0.0.1")];
        assert!(settings(&demo).key_encryption_secret().is_ok());
        let long = "x".repeat(32);
        assert!(
            settings(&[("SOUK_KEY_ENCRYPTION_SECRET", &long)])
                .key_encryption_secret()
                .is_ok()
        );
        assert_eq!(
            settings(&[]).jwks_url(),
            "http://127.0.0.1:8081/.well-known/jwks.json"
        );
    }
}
