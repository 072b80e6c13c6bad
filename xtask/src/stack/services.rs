//! Souk's own processes: with which settings each is started, and when it is ready.

use std::{
    process::{Command, ExitStatus},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::{
    Mode, Stack,
    extras::{self, kafka},
    mongodb,
    postgres::{self, DATABASES, Role},
    rabbitmq,
};
use crate::{cargo, progress::step, system::process::Program, web};

/// All of them, in the order of starting.
pub(crate) const ORDER: [&str; 8] = [
    "users",
    "psp",
    "payments",
    "inventory",
    "orders",
    "auditor",
    "notifications",
    "gateway",
];
/// Those with something to migrate.
const MIGRATED: [&str; 6] = ["users", "psp", "payments", "inventory", "orders", "notifications"];
/// Those with something to seed.
const SEEDED: [&str; 2] = ["users", "inventory"];

/// Those that tell domain events, are told, or look whether all were, where there is a Kafka.
const ON_KAFKA: [&str; 6] = [
    "users",
    "payments",
    "inventory",
    "orders",
    "notifications",
    "auditor",
];

/// Where mail goes, and in whose name; `up` hands on what its caller sets.
const MAIL: [&str; 2] = ["SOUK_SMTP_URL", "SOUK_MAIL_FROM"];

/// The gateway's quotas a minute; `up` hands on what its caller sets.
pub(crate) const RATES: [&str; 7] = [
    "SOUK_RATE_ADDRESS",
    "SOUK_RATE_LOGIN",
    "SOUK_RATE_USER",
    "SOUK_RATE_TRACES",
    "SOUK_RATE_PROVIDER",
    "SOUK_RATE_PROBE",
    "SOUK_RATE_UNMATCHED",
];

/// The port, in a system for tests, at which the tests take traces.
pub(crate) const OTLP: &str = "otlp";
/// The port, in a system for tests, at which the tests take mails.
pub(crate) const SMTP: &str = "smtp";
const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

const READY_WITHIN: Duration = Duration::from_mins(1);

type Environment = Vec<(String, String)>;

/// Brings every schema up to date.
pub(crate) fn migrate(stack: &mut Stack) -> Result<()> {
    for service in MIGRATED {
        step(&format!("migrate {service}"), || {
            let environment = migration_environment(stack, service)?;
            run(stack, service, "migrate", environment)
        })?;
    }
    Ok(())
}

/// Puts in what a demo needs; what is there stays.
pub(crate) fn seed(stack: &mut Stack) -> Result<()> {
    for service in SEEDED {
        step(&format!("seed {service}"), || {
            let environment = environment(stack, service)?;
            run(stack, service, "seed", environment)
        })?;
    }
    Ok(())
}

fn run(stack: &mut Stack, service: &str, task: &str, environment: Environment) -> Result<()> {
    let mut program = program(stack, service)?;
    program.arguments.push(task.to_owned());
    program.environment = environment;
    stack.save()?;
    program.run(&stack.log(service))
}

/// Lets the auditor check everything once. What it prints is for the caller, and so is how it ends.
pub(crate) fn audit(stack: &mut Stack, arguments: &[String]) -> Result<ExitStatus> {
    let program = program(stack, "auditor")?;
    // Not in a session of its own, as other processes are: Ctrl-C is meant for it.
    Command::new(&program.file)
        .arg("check")
        .args(arguments)
        .env_clear()
        .envs(environment(stack, "auditor")?)
        .status()
        .with_context(|| format!("cannot run {}", program.file.display()))
}

/// Starts one, unless it runs as it should, and waits until it is ready.
pub(crate) fn start(stack: &mut Stack, name: &str) -> Result<()> {
    let mut program = program(stack, name)?;
    program.environment = environment(stack, name)?;
    let ready = format!("{}/readyz", admin_url(stack, name)?);
    stack.save()?;
    let started = stack.ensure(name, &program, READY_WITHIN, |_| web::is_ok(&ready));
    started.map_err(|error| match web::text(&ready) {
        Ok((status, text)) => error.context(format!("{ready} answers {status}: {text}")),
        Err(_) => error,
    })
}

/// Starts all that do not run as they should.
pub(crate) fn start_all(stack: &mut Stack) -> Result<()> {
    for name in ORDER {
        step(&format!("start {name}"), || start(stack, name))?;
    }
    Ok(())
}

pub(super) fn program(stack: &Stack, name: &str) -> Result<Program> {
    let file = stack.state.binaries.join(name);
    if !file.exists() {
        bail!(
            "{} is missing; build it with `cargo build --bins`",
            file.display()
        );
    }
    Ok(stack.program(&stack.reachable(&file)?, &[]))
}

/// Where a process listens.
fn address(stack: &mut Stack, what: &str) -> Result<String> {
    Ok(format!("127.0.0.1:{}", stack.state.port(what)?))
}

/// A process's HTTP API.
pub(crate) fn url(stack: &mut Stack, name: &str) -> Result<String> {
    Ok(format!("http://{}", address(stack, name)?))
}

/// A process's health and metrics.
pub(crate) fn admin_url(stack: &mut Stack, name: &str) -> Result<String> {
    Ok(format!("http://{}", address(stack, &format!("{name}-admin"))?))
}

/// The settings of a migration: those of the process, but for the account, which is the one that owns the schema.
fn migration_environment(stack: &mut Stack, service: &str) -> Result<Environment> {
    let mut settings = environment(stack, service)?;
    for (key, value) in &mut settings {
        if key == "SOUK_DATABASE_URL" {
            *value = postgres::url(stack, service, Role::Owner)?;
        }
    }
    Ok(settings)
}

/// The settings of a process.
fn environment(stack: &mut Stack, name: &str) -> Result<Environment> {
    let mut settings = vec![
        ("SOUK_ADMIN_ADDR", address(stack, &format!("{name}-admin"))?),
        ("SOUK_DEMO", "true".to_owned()),
        ("SOUK_LOG", "json".to_owned()),
        // Into a file.
        ("NO_COLOR", "1".to_owned()),
    ];
    let collector = collector(stack)?;
    if name != "gateway" {
        settings.push(("SOUK_HTTP_ADDR", address(stack, name)?));
    }
    if DATABASES.contains(&name) {
        settings.push(("SOUK_DATABASE_URL", postgres::url(stack, name, Role::App)?));
    }
    if ON_KAFKA.contains(&name) {
        settings.extend(kafka::brokers(stack)?.map(|brokers| ("SOUK_KAFKA_BROKERS", brokers)));
    }
    if ["payments", "inventory", "orders"].contains(&name) {
        settings.push(("SOUK_AMQP_URL", rabbitmq::url(stack)?));
    }
    if ["payments", "inventory", "orders", "auditor", "notifications"].contains(&name) {
        settings.push((
            "SOUK_JWKS_URL",
            format!("{}/.well-known/jwks.json", url(stack, "users")?),
        ));
    }
    match name {
        "users" => settings.extend([
            (
                "SOUK_KEY_ENCRYPTION_SECRET",
                stack.state.secret("key-encryption")?,
            ),
            ("SOUK_MAIL_TOKEN_SECRET", stack.state.secret("mail-token")?),
        ]),
        "psp" => settings.extend([
            ("SOUK_API_KEY", stack.state.secret("psp-api-key")?),
            ("SOUK_WEBHOOK_SECRET", stack.state.secret("psp-webhook")?),
            (
                "SOUK_WEBHOOK_URL",
                format!("{}/v1/webhooks/psp", url(stack, "gateway")?),
            ),
        ]),
        "payments" => settings.extend([
            ("SOUK_PSP_URL", url(stack, "psp")?),
            ("SOUK_PSP_API_KEY", stack.state.secret("psp-api-key")?),
            ("SOUK_PSP_WEBHOOK_SECRETS", stack.state.secret("psp-webhook")?),
        ]),
        "inventory" => settings.extend([
            ("SOUK_MONGODB_URL", mongodb::url(stack)?),
            ("SOUK_GRPC_ADDR", address(stack, "inventory-grpc")?),
        ]),
        "orders" => settings.push(("SOUK_INVENTORY_GRPC_URL", url(stack, "inventory-grpc")?)),
        "auditor" => {
            let mut reader = |service| postgres::url(stack, service, Role::Reader);
            settings.extend([
                ("SOUK_USERS_DATABASE_URL", reader("users")?),
                ("SOUK_ORDERS_DATABASE_URL", reader("orders")?),
                ("SOUK_PAYMENTS_DATABASE_URL", reader("payments")?),
                ("SOUK_PSP_DATABASE_URL", reader("psp")?),
                ("SOUK_MONGODB_URL", mongodb::url(stack)?),
            ]);
        }
        "notifications" => {
            let shop = url(stack, "gateway")?.replace("127.0.0.1", "localhost");
            settings.push(("SOUK_SHOP_URL", shop));
            settings.push(("SOUK_MAIL_TOKEN_SECRET", stack.state.secret("mail-token")?));
            settings.extend(mail(stack)?);
        }
        _ => {
            let config = stack.reachable(&cargo::workspace().join("gateway/gateway.yaml"))?;
            settings.extend([
                ("SOUK_GATEWAY_CONFIG", config.to_string_lossy().into_owned()),
                ("SOUK_EDGE_ADDR", address(stack, "gateway")?),
                (
                    "SOUK_STOREFRONT",
                    stack.storefront()?.to_string_lossy().into_owned(),
                ),
                ("SOUK_USERS_ADDR", address(stack, "users")?),
                ("SOUK_ORDERS_ADDR", address(stack, "orders")?),
                ("SOUK_INVENTORY_ADDR", address(stack, "inventory")?),
                ("SOUK_INVENTORY_GRPC_ADDR", address(stack, "inventory-grpc")?),
                ("SOUK_PAYMENTS_ADDR", address(stack, "payments")?),
                ("SOUK_AUDITOR_ADDR", address(stack, "auditor")?),
                ("SOUK_NOTIFICATIONS_ADDR", address(stack, "notifications")?),
            ]);
            if let Some((_, address)) = collector.as_deref().and_then(|url| url.split_once("://")) {
                settings.push(("SOUK_OTLP_ADDR", address.trim_end_matches('/').to_owned()));
            }
            for key in RATES {
                // Tests and benchmarks are many shoppers at one address.
                let unlimited = (stack.mode == Mode::Test).then(|| "1000000".to_owned());
                let wanted = std::env::var_os(key).and_then(|value| value.into_string().ok());
                settings.extend(wanted.or(unlimited).map(|quota| (key, quota)));
            }
        }
    }
    settings.extend(collector.map(|url| (COLLECTOR, url)));
    if stack.state.ports.contains_key(OTLP) {
        // Tests do not wait five seconds for a batch to fill.
        settings.push(("OTEL_BSP_SCHEDULE_DELAY", "500".to_owned()));
    }
    let own = settings.into_iter().map(|(key, value)| (key.to_owned(), value));
    Ok(handed_on().chain(own).collect())
}

/// Where mail goes: to the tests, to this system's mailbox, or where the caller's environment says.
fn mail(stack: &mut Stack) -> Result<Vec<(&'static str, String)>> {
    let given = |key| Some((key, std::env::var_os(key)?.into_string().ok()?));
    let mut settings: Vec<_> = MAIL.into_iter().filter_map(given).collect();
    let tests = stack.state.ports.get(SMTP);
    let tests = tests.map(|port| format!("smtp://127.0.0.1:{port}"));
    // Behind what was given, which it replaces.
    settings.extend(
        tests
            .or(extras::smtp_url(stack)?)
            .map(|url| ("SOUK_SMTP_URL", url)),
    );
    Ok(settings)
}

/// Where traces go: to the tests, to this system's Jaeger, or where the caller's environment says.
fn collector(stack: &mut Stack) -> Result<Option<String>> {
    if let Some(port) = stack.state.ports.get(OTLP) {
        return Ok(Some(format!("http://127.0.0.1:{port}")));
    }
    Ok(extras::otlp_url(stack)?.or_else(|| std::env::var_os(COLLECTOR)?.into_string().ok()))
}

/// The standard settings of OpenTelemetry, which `up` hands on from its caller.
fn handed_on() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(key, _)| key.starts_with("OTEL_") && key != COLLECTOR)
}
