//! The private CA of a system, and the certificates of its processes for mutual TLS.

use anyhow::Result;

use super::{Stack, services};

/// Processes with a certificate. psp has none, because it stands in for a provider outside.
const NAMES: [&str; 7] = [
    "gateway",
    "users",
    "orders",
    "inventory",
    "payments",
    "auditor",
    "notifications",
];

/// The processes that may call a service; none if the service does not use mutual TLS. Every service fetches the public
/// keys for access tokens from users, and so does users itself.
pub(super) fn callers(service: &str) -> &'static [&'static str] {
    match service {
        "users" => &NAMES,
        "inventory" => &["gateway", "orders"],
        "orders" | "payments" | "auditor" | "notifications" => &["gateway"],
        _ => &[],
    }
}

/// Creates the CA once, and certificates that are missing or older than 30 days. Running services notice new ones.
pub(crate) fn issue(stack: &mut Stack) -> Result<()> {
    let folder = stack.data("tls")?;
    let mut program = services::program(stack, "souk-certificates")?;
    program.arguments.push(folder.to_string_lossy().into_owned());
    program.arguments.extend(NAMES.map(str::to_owned));
    program.run(&stack.log("certificates"))
}

/// The settings for mutual TLS of a process.
pub(super) fn settings(stack: &Stack, name: &str) -> Result<Vec<(&'static str, String)>> {
    if !NAMES.contains(&name) {
        return Ok(vec![]);
    }
    let folder = stack.data("tls")?.join(name);
    let file = |file: &str| folder.join(file).to_string_lossy().into_owned();
    let mut settings = vec![
        ("SOUK_TLS_CA", file("ca.pem")),
        ("SOUK_TLS_CERT", file("cert.pem")),
        ("SOUK_TLS_KEY", file("key.pem")),
    ];
    if !callers(name).is_empty() {
        settings.push(("SOUK_TLS_CALLERS", callers(name).join(",")));
    }
    Ok(settings)
}
