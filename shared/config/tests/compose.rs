//! Tests the isolation in `docker-compose.yml`: services share no passwords, cannot reach the databases of other services,
//! and publish ports on loopback addresses only.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;

/// The parts of the file that these tests check.
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
    #[serde(default)]
    volumes: Vec<String>,
    #[serde(default)]
    profiles: Vec<String>,
}

#[derive(Deserialize)]
struct Network {
    #[serde(default)]
    internal: bool,
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    fs::read_to_string(&path).expect("the file exists in the repository")
}

fn compose() -> Compose {
    serde_saphyr::from_str(&read("docker-compose.yml"))
        .expect("docker-compose.yml has the expected structure")
}

/// Returns the variables that `.env` sets.
fn settings() -> BTreeMap<String, String> {
    let text = read(".env");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

/// Returns the names of the secrets in `.env` that a text refers to.
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

/// The services of the shop. Compose also has tasks that run the program of a service once.
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
    // The payment provider and its merchant share the API key and the webhook secret, and users and notifications share the
    // secret from which the tokens in emails are derived.
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
fn no_service_has_the_password_of_an_owner_or_administrator() {
    let compose = compose();
    for name in SERVICES {
        for (key, value) in &compose.services[name].environment {
            let high = secrets_in(value).find(|secret| secret.contains("OWNER") || secret.contains("ADMIN"));
            assert_eq!(high, None, "{name}: {key}");
        }
    }
}

#[test]
fn every_secret_is_unique_and_recognized_as_published() {
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
fn only_its_service_and_the_auditor_can_reach_a_database() {
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
                "{network} is not internal"
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
    assert_eq!(
        databases.count(),
        DATABASES.len(),
        "a database is missing in DATABASES"
    );
}

#[test]
fn no_service_is_on_the_default_network() {
    for (name, service) in compose().services {
        let has_mode = matches!(service.network_mode.as_deref(), Some("service:kafka" | "none"));
        assert!(
            has_mode == service.networks.is_empty(),
            "{name}: {:?}",
            service.networks
        );
    }
}

#[test]
fn services_require_certificates_and_each_can_read_only_its_own_key() {
    let compose = compose();
    let clients: BTreeSet<_> = compose.services["users"].environment["SOUK_TLS_CALLERS"]
        .split(',')
        .collect();
    for name in SERVICES.into_iter().filter(|name| *name != "psp") {
        let service = &compose.services[name];
        let volume = format!("{name}-tls:/etc/souk/tls:ro");
        assert!(service.volumes.contains(&volume), "{name}");
        let callers = service.environment.get("SOUK_TLS_CALLERS");
        assert!(
            name == "gateway" || callers.is_some_and(|callers| callers.starts_with("gateway")),
            "{name}: {callers:?}"
        );
        for (key, file) in [("CA", "ca"), ("CERT", "cert"), ("KEY", "key")] {
            let path = &service.environment[&format!("SOUK_TLS_{key}")];
            assert_eq!(*path, format!("/etc/souk/tls/{file}.pem"), "{name}");
        }
        assert!(
            clients.contains(name),
            "{name} fetches the keys for tokens from users"
        );
        let others = compose.services.iter().filter(|(other, service)| {
            let mounts = service
                .volumes
                .iter()
                .any(|mount| mount.starts_with(&format!("{name}-tls:")));
            mounts && *other != name
        });
        assert_eq!(
            others.map(|(other, _)| other).collect::<Vec<_>>(),
            ["certificates"]
        );
        let task = &compose.services["certificates"];
        assert!(
            task.volumes.contains(&format!("{name}-tls:/tls/{name}")),
            "{name}"
        );
    }
    let with_ca = compose.services.iter().filter(|(_, service)| {
        let mut mounts = service.volumes.iter();
        mounts.any(|mount| mount.starts_with("ca:"))
    });
    assert_eq!(
        with_ca.map(|(name, _)| name).collect::<Vec<_>>(),
        ["certificates"]
    );
}

#[test]
fn ports_are_published_on_the_address_from_env() {
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
    assert_eq!(published, 7);
    for address in ["SOUK_BIND", "SOUK_CONSOLES_BIND"] {
        assert_eq!(settings[address], "127.0.0.1");
    }
    assert_eq!(settings["SOUK_DEMO_PUBLIC"], "false");
}

#[test]
fn every_service_gets_the_published_address_and_the_demo_settings() {
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

#[test]
fn one_variable_selects_consul_for_the_services_and_the_gateway() {
    let compose = compose();
    let consul = &compose.services["consul"];
    assert_eq!(consul.profiles, ["consul"]);
    for name in SERVICES.into_iter().filter(|name| *name != "psp") {
        let service = &compose.services[name];
        assert_eq!(
            service.environment["SOUK_CONSUL_URL"], "${SOUK_CONSUL_URL-}",
            "{name}"
        );
        assert!(
            !service.networks.is_disjoint(&consul.networks),
            "{name} cannot reach Consul"
        );
    }
    // psp has no network in common with Consul.
    let psp = &compose.services["psp"];
    assert_eq!(psp.environment["SOUK_CONSUL_URL"], "");
    assert!(psp.networks.is_disjoint(&consul.networks));
    let gateway = &compose.services["gateway"].environment;
    assert_eq!(gateway["SOUK_DISCOVERY"], "${SOUK_CONSUL_URL:+consul}");
    assert!(
        !settings().contains_key("SOUK_CONSUL_URL"),
        "names are resolved by DNS by default"
    );
}
