//! Dependencies point one way: contracts <- the other shared crates <- services and gateway. No service knows another.

use anyhow::{Result, bail};

use crate::{
    cargo::{self, Metadata},
    progress::note,
};

/// The shared crates that may know contracts and each other, but no service.
const SHARED: [&str; 5] = ["messaging", "events", "souk-http", "telemetry", "souk-config"];
const CONTRACTS: &str = "contracts";
const TESTKIT: &str = "testkit";
/// The processes.
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
/// Programs that only talk to the system, and import no part of it but contracts. Tests read Kafka by the wrapper that
/// everybody does.
const OUTSIDE: [&str; 2] = ["e2e", "xtask"];
/// Outside technologies with one user each. The bench measures the broker itself, without the wrapper.
const WRAPPED: [(&str, &[&str]); 2] = [("lapin", &["messaging", "e2e"]), ("rdkafka", &["events"])];
/// psp stands in for the outside provider; as a test double it is not a service that payments knows.
const TEST_DOUBLES: [(&str, &str); 1] = [("payments", "psp")];

pub(crate) fn run() -> Result<()> {
    let violations = violations(&cargo::metadata()?);
    if !violations.is_empty() {
        bail!(
            "dependencies that point the wrong way:\n  {}",
            violations.join("\n  ")
        );
    }
    note("dependencies point one way");
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

/// Why one package may not depend on another, if so.
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
        return Some("nobody imports a process");
    }
    if from == CONTRACTS {
        return Some("contracts knows nobody");
    }
    let may_import = to == CONTRACTS || (is_dev && to == "events");
    if from == "xtask" || (from == "e2e" && !may_import) {
        return Some("it meets the system only from outside");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_what_the_architecture_says() {
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
    fn the_workspace_keeps_it() {
        assert_eq!(violations(&cargo::metadata().unwrap()), Vec::<String>::new());
    }
}
