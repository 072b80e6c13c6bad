//! The manifests agree with the rest of the repository: settings that the programs read, passwords, versions, images, and the
//! files that are generated from `deploy/`.
//!
//! `SOUK_K8S_UPDATE=1 cargo test -p k8s-policies` updates the generated files.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use k8s_policies::Manifests;
use serde_json::Value;

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn manifests(file: &str) -> Manifests {
    Manifests::parse(&read(file)).unwrap()
}

/// Reads a YAML file that is not a manifest.
fn yaml(file: &str) -> Value {
    serde_saphyr::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn indented(text: &str, width: usize) -> String {
    let lines = text.lines().map(|line| match line {
        "" => "\n".to_owned(),
        line => format!("{:width$}{line}\n", ""),
    });
    lines.collect()
}

/// The text of a `ConfigMap` with these keys and files.
fn config_map(name: &str, files: &[(&str, &str)]) -> String {
    let mut sources: Vec<&str> = files.iter().map(|(_, file)| *file).collect();
    sources.dedup();
    let mut text = format!(
        "# Generated from {}. Do not edit; see k8s/README.md.\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n",
        sources.join(", ")
    );
    for (key, file) in files {
        let _ = write!(text, "  {key}: |\n{}", indented(&read(file), 4));
    }
    text
}

/// The text of a `PrometheusRule` with the rules of a file.
fn prometheus_rule(name: &str, file: &str) -> String {
    format!(
        "# Generated from {file}. Do not edit; see k8s/README.md.\n\
         apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: {name}\nspec:\n{}",
        indented(&read(file), 2)
    )
}

#[test]
fn generated_files_are_current() {
    let components = "k8s/components";
    let generated = [
        (
            "plain-stores/postgres-scripts.generated.yaml",
            config_map(
                "postgres-scripts",
                &[
                    ("10-accounts.sh", "deploy/postgres/10-accounts.sh"),
                    ("start-server", "deploy/start-server"),
                ],
            ),
        ),
        (
            "plain-stores/rabbitmq-scripts.generated.yaml",
            config_map(
                "rabbitmq-scripts",
                &[
                    ("souk-start", "deploy/rabbitmq"),
                    ("start-server", "deploy/start-server"),
                ],
            ),
        ),
        (
            "stand-in-provider/grant-readers.generated.yaml",
            config_map(
                "grant-readers",
                &[
                    ("grant-readers", "deploy/grant-readers"),
                    ("users.sql", "services/auditor/grants/users.sql"),
                    ("orders.sql", "services/auditor/grants/orders.sql"),
                    ("payments.sql", "services/auditor/grants/payments.sql"),
                    ("psp.sql", "services/auditor/grants/psp.sql"),
                ],
            ),
        ),
        (
            "monitoring/slo.generated.yaml",
            prometheus_rule("slo", "deploy/prometheus/rules/slo.yml"),
        ),
        (
            "monitoring/system.generated.yaml",
            prometheus_rule("system", "deploy/prometheus/rules/system.yml"),
        ),
    ];
    for (file, expected) in generated {
        let file = format!("{components}/{file}");
        if std::env::var_os("SOUK_K8S_UPDATE").is_some() {
            fs::write(path(&file), &expected).unwrap();
        }
        assert_eq!(
            read(&file),
            expected,
            "{file} is out of date: run `SOUK_K8S_UPDATE=1 cargo test -p k8s-policies`"
        );
    }
}

/// The settings that a program knows, each with whether it is required, from the fields of the structure in its `config.rs`.
fn known_settings(program: &str) -> BTreeMap<String, bool> {
    let code = read(&format!("services/{program}/src/config.rs"));
    let (_, body) = ["pub struct Config {", "pub struct Settings {"]
        .iter()
        .find_map(|start| code.split_once(start))
        .unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let mut settings: BTreeMap<String, bool> = ["PUBLISHED_ADDR", "DEMO_PUBLIC"]
        .map(|name| (format!("SOUK_{name}"), false))
        .into();
    let mut has_default = false;
    for line in body.lines().map(str::trim) {
        if line.starts_with("#[serde(default") {
            has_default = true;
        } else if let Some((name, kind)) = line.strip_prefix("pub ").and_then(|field| field.split_once(": "))
        {
            let required = !has_default && !kind.starts_with("Option<");
            settings.insert(format!("SOUK_{}", name.to_uppercase()), required);
            has_default = false;
        }
    }
    assert!(
        settings.len() > 5,
        "no settings found in the configuration of {program}"
    );
    settings
}

#[test]
fn programs_get_the_settings_that_they_read() {
    let base = yaml("k8s/base/kustomization.yaml");
    let literals = |kustomization: &Value, map: &str| -> BTreeSet<String> {
        let generators = kustomization["configMapGenerator"].as_array().unwrap();
        let generator = generators.iter().find(|generator| generator["name"] == map);
        let literals = generator.and_then(|generator| generator["literals"].as_array());
        let names = literals
            .into_iter()
            .flatten()
            .filter_map(|literal| literal.as_str()?.split('=').next());
        names.map(str::to_owned).collect()
    };
    let production = yaml("k8s/overlays/production/kustomization.yaml");
    let provider = "k8s/components/stand-in-provider";
    for (program, file) in [
        ("users", "k8s/base/users.yaml".to_owned()),
        ("orders", "k8s/base/orders.yaml".to_owned()),
        ("inventory", "k8s/base/inventory.yaml".to_owned()),
        ("payments", "k8s/base/payments.yaml".to_owned()),
        ("notifications", "k8s/base/notifications.yaml".to_owned()),
        ("psp", format!("{provider}/psp.yaml")),
        ("auditor", format!("{provider}/auditor.yaml")),
    ] {
        let manifests = manifests(&file);
        let pod = manifests
            .pods()
            .iter()
            .find(|pod| pod.owner == format!("Deployment {program}"))
            .unwrap();
        let container = &pod.spec.as_ref().unwrap()["containers"][0];
        let own = container["env"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|variable| variable["name"].as_str());
        let mut set: BTreeSet<String> = own.map(str::to_owned).collect();
        for source in container["envFrom"].as_array().unwrap() {
            let map = source["configMapRef"]["name"].as_str().unwrap();
            set.extend(literals(&base, map));
            set.extend(literals(&production, map));
        }
        let known = known_settings(program);
        let unknown: Vec<_> = set
            .iter()
            .filter(|name| name.starts_with("SOUK_") && !known.contains_key(*name))
            .collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{program} does not know them");
        let required = known
            .iter()
            .filter(|(_, required)| **required)
            .map(|(name, _)| name);
        let missing: Vec<_> = required.filter(|name| !set.contains(*name)).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{program} needs them");
    }
}

/// The `NAME=value` lines of a file, without comments.
fn settings(file: &str) -> BTreeMap<String, String> {
    let text = read(file);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

#[test]
fn the_demo_has_the_published_passwords() {
    let published: BTreeSet<String> = settings(".env").into_values().collect();
    let demo = yaml("k8s/components/demo/kustomization.yaml");
    for secret in demo["secretGenerator"].as_array().unwrap() {
        let name = secret["name"].as_str().unwrap();
        for literal in secret["literals"].as_array().unwrap() {
            let (_, value) = literal.as_str().unwrap().split_once('=').unwrap();
            // Compose creates the topics inside Kafka's own network, without an account; the address of mail is no secret.
            let is_known = published.contains(value) || ["topics-kafka", "smtp"].contains(&name);
            assert!(is_known, "{name} is not one of the passwords in .env");
        }
    }
}

#[test]
fn images_have_the_version_of_the_workspace() {
    let workspace = read("Cargo.toml");
    let version = workspace
        .lines()
        .find_map(|line| line.strip_prefix("version = "))
        .unwrap();
    let release = yaml("k8s/components/release/kustomization.yaml");
    let images = release["images"].as_array().unwrap();
    assert_eq!(images.len(), 10);
    for image in images {
        assert_eq!(image["newTag"], version.trim_matches('"'), "{}", image["name"]);
    }
}

#[test]
fn plain_stores_run_the_images_of_compose() {
    let compose = yaml("docker-compose.yml");
    let services = compose["services"].as_object().unwrap().values();
    let known: BTreeSet<&str> = services.filter_map(|service| service["image"].as_str()).collect();
    for file in [
        "plain-stores/postgres-server",
        "plain-stores/mongo",
        "plain-stores/rabbitmq",
        "plain-stores/kafka",
        "demo/mailpit",
        "demo/jaeger",
    ] {
        let text = read(&format!("k8s/components/{file}.yaml"));
        for image in text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("image: "))
        {
            assert!(known.contains(image), "{file}.yaml: Compose does not run {image}");
        }
    }
}

#[test]
fn the_operators_broker_has_the_permissions_of_compose() {
    let script = read("deploy/rabbitmq");
    // account NAME PASSWORD 'QUEUES'
    let scripted: BTreeMap<String, String> = script
        .lines()
        .filter_map(|line| {
            let words = line.strip_prefix("account ")?;
            let (name, rest) = words.split_once(' ')?;
            let queues = rest.split('\'').nth(1)?;
            // The script writes them into JSON.
            Some((name.to_owned(), queues.replace("\\\\", "\\")))
        })
        .collect();
    assert_eq!(scripted.len(), 3);
    let secrets = manifests("k8s/components/external-secrets/brokers.yaml");
    let definitions = secrets
        .of_kind("ExternalSecret")
        .find_map(|secret| {
            secret
                .pointer("/spec/target/template/data/definitions.json")?
                .as_str()
        })
        .unwrap();
    let definitions: Value = serde_json::from_str(definitions).unwrap();
    let mut declared = BTreeMap::new();
    for permission in definitions["permissions"].as_array().unwrap() {
        let user = permission["user"].as_str().unwrap();
        if ["souk", "keda"].contains(&user) {
            continue;
        }
        assert_eq!(permission["configure"], permission["read"], "{user}");
        assert_eq!(permission["write"], r"^amq\.default$", "{user}");
        declared.insert(user.to_owned(), permission["read"].as_str().unwrap().to_owned());
    }
    assert_eq!(declared, scripted);
}

#[test]
fn the_gateways_file_names_services_that_exist() {
    let text = read("gateway/gateway.yaml");
    let mut checked = 0;
    for (_, address) in text
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split('}').next()?.split_once(":-"))
    {
        // A host and a port, or the URL of the public keys.
        let address = address
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap_or_default();
        // An IP address names no Service.
        let service = address.split_once(':');
        let Some((host, port)) =
            service.filter(|(host, _)| !host.starts_with(|first: char| first.is_ascii_digit()))
        else {
            continue;
        };
        let file = ["base", "components/stand-in-provider", "components/demo"]
            .map(|folder| format!("k8s/{folder}/{host}.yaml"))
            .into_iter()
            .find(|file| path(file).exists())
            .unwrap_or_else(|| panic!("no manifest for {host}"));
        let manifests = manifests(&file);
        let has_port = manifests.of_kind("Service").any(|service| {
            let ports = service["spec"]["ports"].as_array().unwrap();
            ports.iter().any(|own| own["port"].as_u64() == port.parse().ok())
        });
        assert!(has_port, "{file} has no Service with the port {port}");
        checked += 1;
    }
    assert!(checked >= 8);
}
