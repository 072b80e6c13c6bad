//! Every address in a setting must be that of a Service with the given port, or lie outside the namespace.

use serde_json::Value;

use crate::{
    manifests::{Manifests, containers, labels, list, text, title},
    operators::{self, Service},
};

/// The namespace that the overlays use.
const NAMESPACE: &str = "souk";

/// Checks environment variables, arguments, `ConfigMap`s and templates of Secrets.
pub(crate) fn addresses(manifests: &Manifests) -> Vec<String> {
    let services = operators::services(manifests);
    let mut broken = Vec::new();
    let mut check = |owner: &str, value: &str| {
        let missing = addresses_in(value).filter(|address| !leads_somewhere(&services, address));
        let missing =
            missing.map(|Address { host, port }| format!("{owner}: no Service {host} has the port {port}"));
        broken.extend(missing);
    };
    for (pod, spec) in manifests.specified() {
        for container in containers(spec) {
            let values = list(container, "/env").filter_map(|variable| text(variable, "/value"));
            let words = list(container, "/args").chain(list(container, "/command"));
            for value in values.chain(words.filter_map(Value::as_str)) {
                check(&pod.owner, value);
            }
        }
    }
    for map in manifests.of_kind("ConfigMap") {
        // The other entries are files, whose texts may mention any address.
        let settings = labels(map, "/data").into_iter();
        for (_, value) in settings.filter(|(key, _)| key.starts_with("SOUK_") || key.starts_with("OTEL_")) {
            check(&title(map), &value);
        }
    }
    for secret in manifests.of_kind("ExternalSecret") {
        for (_, value) in labels(secret, "/spec/target/template/data") {
            check(&title(secret), &value);
        }
    }
    broken
}

/// A host and a port.
#[derive(Debug, PartialEq, Eq)]
struct Address<'a> {
    host: &'a str,
    port: u64,
}

/// The addresses in a value: URLs, and lists of `host:port` with or without an account.
fn addresses_in(value: &str) -> impl Iterator<Item = Address<'_>> {
    value.split([',', ' ', '\n']).filter_map(address)
}

fn address(value: &str) -> Option<Address<'_>> {
    let (scheme, rest) = match value.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, value),
    };
    let authority = rest.split(['/', '?']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, default_port(scheme?)?),
    };
    let is_name = host.starts_with(|first: char| first.is_ascii_lowercase())
        && host
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.'));
    (is_name && host != "localhost").then_some(Address { host, port })
}

fn default_port(scheme: &str) -> Option<u64> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mongodb" => Some(27017),
        "amqp" => Some(5672),
        "smtp" => Some(25),
        _ => None,
    }
}

fn leads_somewhere(services: &[Service], address: &Address<'_>) -> bool {
    let service = match address.host.split_once('.') {
        None => address.host,
        Some((service, rest)) if rest == NAMESPACE || rest.starts_with("souk.svc") => service,
        Some(_) => return true,
    };
    services
        .iter()
        .any(|own| own.name == service && own.ports.iter().any(|port| port.number == address.port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_addresses_in_all_forms() {
        let found = |value| {
            addresses_in(value)
                .map(|address| format!("{}:{}", address.host, address.port))
                .collect::<Vec<_>>()
        };
        assert_eq!(found("postgres://a:$(P)@users-db:5432/users"), ["users-db:5432"]);
        assert_eq!(found("mongodb://a:$(P)@mongo/inventory?x=y"), ["mongo:27017"]);
        assert_eq!(
            found("users:$(P)@kafka:9092,users:$(P)@other:9093"),
            ["kafka:9092", "other:9093"]
        );
        assert_eq!(
            found("CLIENTS://kafka:9092,ADMIN://localhost:9094"),
            ["kafka:9092"]
        );
        assert_eq!(found("https://api.example.com"), ["api.example.com:443"]);
        for none in [
            "0.0.0.0:8080",
            "json",
            "CLIENTS:SASL_PLAINTEXT",
            "Souk <hello@souk.test>",
            "true",
            "CLIENTS://:9092",
        ] {
            assert_eq!(found(none), Vec::<String>::new(), "{none}");
        }
    }
}
