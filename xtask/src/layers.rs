//! Checks the layers of the workspace: services and the gateway depend on shared crates, shared crates on contracts. No
//! service depends on another one, and all have the same skeleton. The modules of the gateway are layers as well.

use anyhow::{Result, bail};

use crate::{
    cargo::{self, Metadata},
    modules,
    progress::note,
    skeleton,
};

/// Shared crates, which may depend on contracts and on each other, but not on services.
const SHARED: [&str; 6] = [
    "messaging",
    "events",
    "souk-http",
    "souk-tls",
    "telemetry",
    "souk-config",
];
const CONTRACTS: &str = "contracts";
const TESTKIT: &str = "testkit";
/// Crates of the services and the gateway.
const PROCESSES: [&str; 8] = [
    "users",
    "inventory",
    "orders",
    "payments",
    "psp",
    "auditor",
    "notifications",
    "gateway",
];
/// Programs that use the system only from outside, and may depend on no part of it except contracts. Their tests may also
/// use `events` to read Kafka.
const OUTSIDE: [&str; 3] = ["e2e", "xtask", "k8s-policies"];
/// Client libraries that only one shared crate may use. The bench measures the broker itself, without the wrapper.
const WRAPPED: [(&str, &[&str]); 2] = [("lapin", &["messaging", "e2e"]), ("rdkafka", &["events"])];
/// psp simulates the external payment provider; the tests of payments may use it as a test double.
const TEST_DOUBLES: [(&str, &str); 1] = [("payments", "psp")];

pub(crate) fn run() -> Result<()> {
    let mut violations = violations(&cargo::metadata()?);
    violations.extend(modules::violations(&cargo::workspace().join("gateway/src"))?);
    if !violations.is_empty() {
        bail!(
            "dependencies that violate the layers:\n  {}",
            violations.join("\n  ")
        );
    }
    note("all dependencies respect the layers");
    let deviations = skeleton::violations(&cargo::workspace().join("services"))?;
    if !deviations.is_empty() {
        bail!(
            "services that deviate from the skeleton (see docs/adding-a-service.md):\n  {}",
            deviations.join("\n  ")
        );
    }
    note("all services have the skeleton");
    Ok(())
}

fn violations(metadata: &Metadata) -> Vec<String> {
    let mut violations = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        if !is_known(name) {
            violations.push(format!("{name} has no layer; give it one in xtask/src/layers.rs"));
        }
        for dependency in &package.dependencies {
            let is_dev = dependency.kind.as_deref() == Some("dev");
            if let Some(why) = forbidden(name, &dependency.name, is_dev) {
                violations.push(format!("{name} -> {}: {why}", dependency.name));
            }
        }
    }
    violations
}

fn is_known(name: &str) -> bool {
    [CONTRACTS, TESTKIT].contains(&name)
        || SHARED.contains(&name)
        || PROCESSES.contains(&name)
        || OUTSIDE.contains(&name)
}

/// The reason why one package may not depend on another, or `None` if it may.
fn forbidden(from: &str, to: &str, is_dev: bool) -> Option<&'static str> {
    if let Some((_, users)) = WRAPPED.iter().find(|(wrapped, _)| *wrapped == to) {
        return (!users.contains(&from)).then_some("only its wrapper may use it");
    }
    if !is_known(to) || (is_dev && TEST_DOUBLES.contains(&(from, to))) {
        return None;
    }
    if to == TESTKIT {
        return (!is_dev).then_some("testkit is for tests only");
    }
    if PROCESSES.contains(&to) || OUTSIDE.contains(&to) {
        return Some("no crate may depend on a service, the gateway, e2e or xtask");
    }
    if from == CONTRACTS {
        return Some("contracts depends on no other crate of the workspace");
    }
    let may_import = to == CONTRACTS || (is_dev && to == "events");
    if from == "xtask" || (from == "e2e" && !may_import) {
        return Some("it may use the system only from outside");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_allowed_or_forbidden_by_layer() {
        for (from, to, is_dev, allowed) in [
            ("orders", "messaging", false, true),
            ("orders", "contracts", false, true),
            ("messaging", "contracts", false, true),
            ("messaging", "telemetry", false, true),
            ("orders", "testkit", true, true),
            ("orders", "testkit", false, false),
            ("orders", "payments", false, false),
            ("orders", "payments", true, false),
            ("payments", "psp", true, true),
            ("payments", "psp", false, false),
            ("orders", "psp", true, false),
            ("gateway", "users", false, false),
            ("messaging", "orders", false, false),
            ("contracts", "telemetry", false, false),
            ("messaging", "lapin", false, true),
            ("orders", "rdkafka", false, false),
            ("orders", "lapin", false, false),
            ("testkit", "lapin", true, false),
            ("e2e", "contracts", false, true),
            ("e2e", "messaging", false, false),
            ("e2e", "events", true, true),
            ("e2e", "events", false, false),
            ("e2e", "auditor", true, false),
            ("auditor", "orders", true, false),
            ("orders", "axum", false, true),
        ] {
            assert_eq!(
                forbidden(from, to, is_dev).is_none(),
                allowed,
                "{from} -> {to}, dev: {is_dev}"
            );
        }
    }

    #[test]
    fn the_workspace_respects_the_layers() {
        assert_eq!(violations(&cargo::metadata().unwrap()), Vec::<String>::new());
    }
}
