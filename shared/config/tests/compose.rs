//! What `docker-compose.yml` promises about isolation: nobody shares a password or a way to another's database, and what is
//! published is published on loopback addresses.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;

/// The parts of the file that matter here.
#[derive(Deserialize)]
struct Compose {
    services: BTreeMap<String, Service>,
    networks: BTreeMap<String, Option<Network>>,
}

#[derive(Deserialize)]
struct Service {
    image: String,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    networks: BTreeSet<String>,
    network_mode: Option<String>,
    #[serde(default)]
    ports: Vec<String>,
}

#[derive(Deserialize)]
struct Network {
    #[serde(default)]
    internal: bool,
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    fs::read_to_string(&path).expect("the file is part of the repository")
}

fn compose() -> Compose {
    serde_saphyr::from_str(&read("docker-compose.yml")).expect("docker-compose.yml has the known form")
}

/// The settings of `.env`.
fn settings() -> BTreeMap<String, String> {
    let text = read(".env");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

/// The secrets that a text is filled with, by the names they have in `.env`.
fn secrets_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("${")
        .skip(1)
        .filter_map(|rest| rest.split(['}', ':', '-']).next())
        .filter(|name| is_secret(name))
}

fn is_secret(name: &str) -> bool {
    ["_PASSWORD", "_SECRET", "_API_KEY"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// The services of the shop. Each has tasks beside it that run the same program once.
const SERVICES: [&str; 8] = [
    "gateway",
    "users",
    "orders",
    "inventory",
    "payments",
    "psp",
    "auditor",
    "notifications",
];

/// Each database with the service that it belongs to.
const DATABASES: [(&str, &str); 6] = [
    ("users-db", "users"),
    ("orders-db", "orders"),
    ("mongo", "inventory"),
    ("payments-db", "payments"),
    ("psp-db", "psp"),
    ("notifications-db", "notifications"),
];

#[test]
fn no_secret_is_used_by_two_services() {
    let compose = compose();
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for name in SERVICES {
        for value in compose.services[name].environment.values() {
            for secret in secrets_in(value) {
                users.entry(secret).or_default().insert(name);
            }
        }
    }
    let shared: Vec<_> = users.iter().filter(|(_, names)| names.len() > 1).collect();
    // A provider and its merchant have the key and the webhook's secret in common, and users and notifications derive the
    // tokens in mails from one secret.
    let partners = BTreeSet::from(["payments", "psp"]);
    let mail = BTreeSet::from(["notifications", "users"]);
    assert_eq!(
        shared,
        [
            (&"SOUK_MAIL_TOKEN_SECRET", &mail),
            (&"SOUK_PSP_API_KEY", &partners),
            (&"SOUK_PSP_WEBHOOK_SECRET", &partners)
        ]
    );
    for kind in ["DATABASE", "BROKER", "KAFKA"] {
        assert!(
            users.keys().any(|secret| secret.contains(kind)),
            "{kind}: {users:?}"
        );
    }
}

#[test]
fn no_service_has_an_owner_s_or_an_administrator_s_password() {
    let compose = compose();
    for name in SERVICES {
        for (key, value) in &compose.services[name].environment {
            let high = secrets_in(value).find(|secret| secret.contains("OWNER") || secret.contains("ADMIN"));
            assert_eq!(high, None, "{name}: {key}");
        }
    }
}

#[test]
fn every_secret_is_another_one_and_known_to_be_published() {
    let settings = settings();
    let compose = read("docker-compose.yml");
    let mut seen = BTreeSet::new();
    for (name, value) in settings.iter().filter(|(name, _)| is_secret(name)) {
        assert!(seen.insert(value), "{name} has the value of another secret");
        assert!(
            souk_config::is_published(value),
            "{name} would be accepted outside the demo"
        );
        assert!(
            secrets_in(&compose).any(|used| used == name),
            "{name} is not used"
        );
    }
    for secret in secrets_in(&compose) {
        assert!(settings.contains_key(secret), "{secret} is not in .env");
    }
}

#[test]
fn a_database_shares_networks_with_its_own_service_and_the_auditor_only() {
    let compose = compose();
    for (database, owner) in DATABASES {
        let server = &compose.services[database];
        assert!(server.image.starts_with("postgres:") || server.image.starts_with("mongo:"));
        assert!(
            !server.networks.is_empty(),
            "{database} would be on the default network"
        );
        for network in &server.networks {
            let settings = compose.networks[network].as_ref();
            assert!(
                settings.is_some_and(|network| network.internal),
                "{network} leads outside"
            );
        }
        let neighbours = compose
            .services
            .iter()
            .filter(|(name, service)| *name != database && !service.networks.is_disjoint(&server.networks));
        for (name, _) in neighbours {
            let is_own = name == owner
                || ["migrate", "seed"]
                    .iter()
                    .any(|task| *name == format!("{task}-{owner}"))
                || *name == format!("{owner}-accounts");
            let is_audit = ["auditor", "grant-readers"].contains(&name.as_str());
            assert!(is_own || is_audit, "{name} can reach {database}");
        }
    }
    let databases = compose
        .services
        .iter()
        .filter(|(_, service)| service.image.starts_with("postgres:") || service.image.starts_with("mongo:"))
        .filter(|(name, _)| *name != "grant-readers");
    assert_eq!(databases.count(), DATABASES.len(), "every database is checked");
}

#[test]
fn nothing_is_on_the_default_network() {
    for (name, service) in compose().services {
        let shares_kafkas = service.network_mode.as_deref() == Some("service:kafka");
        assert!(
            shares_kafkas == service.networks.is_empty(),
            "{name}: {:?}",
            service.networks
        );
    }
}

#[test]
fn everything_is_published_on_the_address_that_env_names() {
    let (compose, settings) = (compose(), settings());
    let mut published = 0;
    for (name, service) in &compose.services {
        let address = if name == "gateway" {
            "${SOUK_BIND:-127.0.0.1}:"
        } else {
            "${SOUK_CONSOLES_BIND:-127.0.0.1}:"
        };
        for port in &service.ports {
            assert!(port.starts_with(address), "{name} publishes {port}");
            published += 1;
        }
    }
    assert_eq!(published, 6);
    for address in ["SOUK_BIND", "SOUK_CONSOLES_BIND"] {
        assert_eq!(settings[address], "127.0.0.1");
    }
    assert_eq!(settings["SOUK_DEMO_PUBLIC"], "false");
}

#[test]
fn every_program_knows_what_is_published() {
    let compose = compose();
    for name in SERVICES {
        let environment = &compose.services[name].environment;
        assert_eq!(
            environment["SOUK_PUBLISHED_ADDR"], "${SOUK_BIND:-127.0.0.1}",
            "{name}"
        );
        assert_eq!(environment["SOUK_DEMO"], "${SOUK_DEMO:-false}", "{name}");
        assert_eq!(
            environment["SOUK_DEMO_PUBLIC"], "${SOUK_DEMO_PUBLIC:-false}",
            "{name}"
        );
    }
}
