//! Prevents processes from starting with unsafe settings: secrets that are published in the repository, outside demo mode,
//! and a demo, whose passwords are public, on an address that other machines can reach.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use crate::{Error, error::key};

/// Every published secret contains one of these texts.
const PUBLISHED: [&str; 3] = ["souk_demo", "demo_souk", ": not a secret, do not use"];
/// The default account of `RabbitMQ`, as part of a URL.
const DEFAULT_ACCOUNT: &str = "//guest:guest@";
/// The settings with the addresses that a process listens on.
const LISTENER_SETTINGS: [&str; 3] = ["http_addr", "grpc_addr", "admin_addr"];

/// Whether a value contains a secret that is published in the repository.
#[must_use]
pub fn is_published(value: &str) -> bool {
    PUBLISHED.iter().any(|secret| value.contains(secret)) || value.contains(DEFAULT_ACCOUNT)
}

/// Fails if the settings are unsafe. Removes the keys that only this check uses.
pub(crate) fn check(settings: &mut BTreeMap<String, String>) -> Result<(), Error> {
    let exposure = Exposure::take(settings)?;
    if !exposure.is_demo {
        let published = settings.iter().find(|(_, value)| is_published(value));
        return published.map_or(Ok(()), |(name, _)| Err(Error::Published(key(name))));
    }
    exposure.check_published()?;
    for name in LISTENER_SETTINGS {
        // An invalid address is rejected when the settings are deserialized.
        if let Some(addr) = settings.get(name).and_then(|text| text.trim().parse().ok()) {
            exposure.check(&key(name), addr)?;
        }
    }
    Ok(())
}

/// The settings that determine from where this process can be reached.
#[derive(Debug)]
pub(crate) struct Exposure {
    is_demo: bool,
    may_be_public: bool,
    published: Option<IpAddr>,
}

impl Exposure {
    /// Reads the settings, and removes those that are used only here.
    pub(crate) fn take(settings: &mut BTreeMap<String, String>) -> Result<Self, Error> {
        // Docker requires brackets around an IPv6 address.
        let published = settings
            .remove("published_addr")
            .map(|text| text.trim_matches([' ', '[', ']']).parse());
        Ok(Self {
            is_demo: flag("demo", settings.get("demo").map(String::as_str))?,
            may_be_public: flag("demo_public", settings.remove("demo_public").as_deref())?,
            published: published.transpose().map_err(|_| Error::Invalid {
                key: key("published_addr"),
                expected: "expected an IP address".to_owned(),
            })?,
        })
    }

    /// Fails if other machines can reach the published address of a demo.
    fn check_published(&self) -> Result<(), Error> {
        match self.published {
            Some(addr) if !self.may_be_public && !addr.is_loopback() => {
                Err(Error::PublicDemo(key("published_addr")))
            }
            _ => Ok(()),
        }
    }

    /// Fails if a demo listens on an address that other machines can reach, unless another address is published. The error
    /// names the address as `what`.
    pub(crate) fn check(&self, what: &str, addr: SocketAddr) -> Result<(), Error> {
        let is_safe = self.may_be_public || self.published.is_some() || addr.ip().is_loopback();
        if self.is_demo && !is_safe {
            return Err(Error::PublicDemo(what.to_owned()));
        }
        Ok(())
    }
}

fn flag(name: &str, value: Option<&str>) -> Result<bool, Error> {
    value
        .map_or(Ok(false), |text| text.trim().parse())
        .map_err(|_| Error::Invalid {
            key: key(name),
            expected: "expected true or false".to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(vars: &[(&str, &str)]) -> Result<(), String> {
        let mut settings: BTreeMap<_, _> = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        check(&mut settings).map_err(|error| error.to_string())?;
        assert!(!settings.contains_key("published_addr") && !settings.contains_key("demo_public"));
        Ok(())
    }

    const DEMO: (&str, &str) = ("demo", "true");

    #[test]
    fn published_secrets_in_any_setting_are_rejected_outside_the_demo() {
        for (name, value) in [
            (
                "database_url",
                "postgres://users_app:souk_demo_users@users-db/users",
            ),
            (
                "amqp_url",
                "amqp://orders:souk_demo_orders_broker@rabbitmq:5672/%2f",
            ),
            ("amqp_url", "amqp://guest:guest@rabbitmq:5672/%2f"),
            ("kafka_brokers", "orders:souk_demo_orders_kafka@kafka:9092"),
            ("mongodb_url", "mongodb://inventory:souk_demo@mongo/inventory"),
            ("psp_api_key", "sk_demo_souk"),
            ("psp_webhook_secrets", "a-secret-of-our-own,whsec_demo_souk"),
            ("key_encryption_secret", "souk demo: not a secret, do not use"),
        ] {
            let error = checked(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&key(name)), "{error}");
            assert!(!error.contains(value), "the error contains the secret: {error}");
            assert_eq!(checked(&[DEMO, (name, value)]), Ok(()), "{name} in the demo");
        }
        let own = ("database_url", "postgres://users_app:0f3c9d@db/users");
        assert_eq!(checked(&[own, ("demo", "false")]), Ok(()));
    }

    #[test]
    fn a_demo_is_served_on_loopback_addresses_only() {
        assert_eq!(checked(&[DEMO, ("http_addr", "127.0.0.1:8081")]), Ok(()));
        assert_eq!(checked(&[DEMO, ("http_addr", "[::1]:8081")]), Ok(()));
        for (name, addr) in [
            ("http_addr", "0.0.0.0:8081"),
            ("admin_addr", "192.168.1.5:9090"),
            ("grpc_addr", "[::]:9083"),
        ] {
            let error = checked(&[DEMO, (name, addr)]).unwrap_err();
            assert!(error.starts_with(&key(name)), "{error}");
            assert_eq!(checked(&[(name, addr)]), Ok(()), "outside the demo");
            assert_eq!(checked(&[DEMO, (name, addr), ("demo_public", "true")]), Ok(()));
        }
    }

    #[test]
    fn the_published_address_takes_precedence() {
        let everywhere = ("http_addr", "0.0.0.0:8081");
        assert_eq!(
            checked(&[DEMO, everywhere, ("published_addr", "127.0.0.1")]),
            Ok(())
        );
        assert_eq!(checked(&[DEMO, everywhere, ("published_addr", "[::1]")]), Ok(()));
        let public = ("published_addr", "0.0.0.0");
        let error = checked(&[DEMO, ("http_addr", "127.0.0.1:1"), public]).unwrap_err();
        assert!(error.starts_with("SOUK_PUBLISHED_ADDR"), "{error}");
        assert_eq!(
            checked(&[DEMO, everywhere, public, ("demo_public", "true")]),
            Ok(())
        );
    }

    #[test]
    fn a_listener_outside_the_settings_is_checked_in_the_same_way() {
        let everywhere = "0.0.0.0:8080".parse().unwrap();
        let check = |vars: &[(&str, &str)]| {
            let mut settings = vars
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            Exposure::take(&mut settings)
                .and_then(|exposure| exposure.check("the listener edge", everywhere))
                .map_err(|error| error.to_string())
        };
        assert!(check(&[DEMO]).unwrap_err().starts_with("the listener edge"));
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&[DEMO, ("published_addr", "127.0.0.1")]), Ok(()));
        assert_eq!(check(&[DEMO, ("demo_public", "true")]), Ok(()));
    }

    #[test]
    fn values_with_the_wrong_format_are_rejected() {
        assert_eq!(
            checked(&[("published_addr", "localhost")]).unwrap_err(),
            "SOUK_PUBLISHED_ADDR: expected an IP address"
        );
        for name in ["demo", "demo_public"] {
            assert_eq!(
                checked(&[(name, "yes")]).unwrap_err(),
                format!("{}: expected true or false", key(name))
            );
        }
    }
}
