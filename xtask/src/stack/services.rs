//! Starts the services and the gateway: the settings of each, and the check whether it is ready.

use std::{
    process::{Command, ExitStatus},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::{
    Mode, Stack, certificates,
    extras::{self, kafka},
    mongodb,
    postgres::{self, DATABASES, Role},
    rabbitmq,
};
use crate::{cargo, progress::step, system::process::Program, web};

/// All services and the gateway, in start order.
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
/// Services with the command `migrate`.
const MIGRATED: [&str; 6] = ["users", "psp", "payments", "inventory", "orders", "notifications"];
/// Services with the command `seed`.
const SEEDED: [&str; 2] = ["users", "inventory"];

/// Services that publish, consume or audit domain events, and use Kafka if the system has it.
const ON_KAFKA: [&str; 6] = [
    "users",
    "payments",
    "inventory",
    "orders",
    "notifications",
    "auditor",
];

/// Settings for the mail server and the sender. `up` passes them on from its environment.
const MAIL: [&str; 2] = ["SOUK_SMTP_URL", "SOUK_MAIL_FROM"];

/// The gateway's quotas per minute. `up` passes them on from its environment.
pub(crate) const RATES: [&str; 7] = [
    "SOUK_RATE_ADDRESS",
    "SOUK_RATE_LOGIN",
    "SOUK_RATE_USER",
    "SOUK_RATE_TRACES",
    "SOUK_RATE_PROVIDER",
    "SOUK_RATE_PROBE",
    "SOUK_RATE_UNMATCHED",
];

/// Name of the port, in a system for tests, on which the tests receive traces.
pub(crate) const OTLP: &str = "otlp";
/// Name of the port, in a system for tests, on which the tests receive mails.
pub(crate) const SMTP: &str = "smtp";
const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

const READY_WITHIN: Duration = Duration::from_mins(1);

type Environment = Vec<(String, String)>;

/// Applies all pending migrations of every service.
pub(crate) fn migrate(stack: &mut Stack) -> Result<()> {
    for service in MIGRATED {
        step(&format!("migrate {service}"), || {
            let environment = migration_environment(stack, service)?;
            run(stack, service, "migrate", environment)
        })?;
    }
    Ok(())
}

/// Inserts the demo data that is missing; existing data is not changed.
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

/// Runs `auditor check` with the caller's stdout and stderr, and returns its exit status.
pub(crate) fn audit(stack: &mut Stack, arguments: &[String]) -> Result<ExitStatus> {
    let program = program(stack, "auditor")?;
    // Unlike other processes it shares our session, so that Ctrl-C reaches it.
    Command::new(&program.file)
        .arg("check")
        .args(arguments)
        .env_clear()
        .envs(environment(stack, "auditor")?)
        .status()
        .with_context(|| format!("cannot run {}", program.file.display()))
}

/// Starts a service unless it is running with these settings, and waits until it is ready.
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

/// Starts all services that are not running with their current settings.
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

/// The address on which a process listens, such as `127.0.0.1:20001`.
fn address(stack: &mut Stack, what: &str) -> Result<String> {
    Ok(format!("127.0.0.1:{}", stack.state.port(what)?))
}

/// URL of a process's HTTP API.
pub(crate) fn url(stack: &mut Stack, name: &str) -> Result<String> {
    let scheme = if certificates::callers(name).is_empty() {
        "http"
    } else {
        "https"
    };
    Ok(format!("{scheme}://{}", address(stack, name)?))
}

/// URL of a process's admin port, with health checks and metrics.
pub(crate) fn admin_url(stack: &mut Stack, name: &str) -> Result<String> {
    Ok(format!("http://{}", address(stack, &format!("{name}-admin"))?))
}

/// The settings for a migration: those of the service, but with the database account that owns the schema.
fn migration_environment(stack: &mut Stack, service: &str) -> Result<Environment> {
    let mut settings = environment(stack, service)?;
    for (key, value) in &mut settings {
        if key == "SOUK_DATABASE_URL" {
            *value = postgres::url(stack, service, Role::Owner)?;
        }
    }
    Ok(settings)
}

/// The environment variables of a process.
fn environment(stack: &mut Stack, name: &str) -> Result<Environment> {
    let mut settings = vec![
        ("SOUK_ADMIN_ADDR", address(stack, &format!("{name}-admin"))?),
        ("SOUK_DEMO", "true".to_owned()),
        ("SOUK_LOG", "json".to_owned()),
        // The output goes to a file.
        ("NO_COLOR", "1".to_owned()),
    ];
    let collector = collector(stack)?;
    if name != "gateway" {
        settings.push(("SOUK_HTTP_ADDR", address(stack, name)?));
    }
    settings.extend(certificates::settings(stack, name)?);
    if DATABASES.contains(&name) {
        settings.push(("SOUK_DATABASE_URL", postgres::url(stack, name, Role::App)?));
    }
    if ON_KAFKA.contains(&name) {
        settings.extend(kafka::brokers(stack)?.map(|brokers| ("SOUK_KAFKA_BROKERS", brokers)));
    }
    if ["payments", "inventory", "orders"].contains(&name) {
        settings.push(("SOUK_AMQP_URL", rabbitmq::url(stack)?));
    }
    if [
        "payments",
        "inventory",
        "orders",
        "auditor",
        "notifications",
        "gateway",
    ]
    .contains(&name)
    {
        settings.push((
            "SOUK_JWKS_URL",
            format!("{}/.well-known/jwks.json", url(stack, "users")?),
        ));
    }
    match name {
        "users" => settings.extend([
            ("SOUK_KEY_ENCRYPTION_SECRET", stack.state.secret("key-encryption")),
            ("SOUK_MAIL_TOKEN_SECRET", stack.state.secret("mail-token")),
        ]),
        "psp" => settings.extend([
            ("SOUK_API_KEY", stack.state.secret("psp-api-key")),
            ("SOUK_WEBHOOK_SECRET", stack.state.secret("psp-webhook")),
            (
                "SOUK_WEBHOOK_URL",
                format!("{}/v1/webhooks/psp", url(stack, "gateway")?),
            ),
        ]),
        "payments" => settings.extend([
            ("SOUK_PSP_URL", url(stack, "psp")?),
            ("SOUK_PSP_API_KEY", stack.state.secret("psp-api-key")),
            ("SOUK_PSP_WEBHOOK_SECRETS", stack.state.secret("psp-webhook")),
        ]),
        "inventory" => settings.extend([
            ("SOUK_MONGODB_URL", mongodb::url(stack)?),
            ("SOUK_GRPC_ADDR", address(stack, "inventory-grpc")?),
        ]),
        "orders" => settings.push((
            "SOUK_INVENTORY_GRPC_URL",
            format!("https://{}", address(stack, "inventory-grpc")?),
        )),
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
            settings.push(("SOUK_MAIL_TOKEN_SECRET", stack.state.secret("mail-token")));
            settings.extend(mail(stack)?);
        }
        "gateway" => settings.extend(gateway(stack, collector.as_deref())?),
        _ => {}
    }
    settings.extend(collector.map(|url| (COLLECTOR, url)));
    if stack.state.ports.contains_key(OTLP) {
        // By default a batch of spans is sent only every five seconds, which is too slow for tests.
        settings.push(("OTEL_BSP_SCHEDULE_DELAY", "500".to_owned()));
    }
    let own = settings.into_iter().map(|(key, value)| (key.to_owned(), value));
    Ok(opentelemetry_settings().chain(own).collect())
}

/// The settings that only the gateway has. Spans of browsers go to `collector`.
fn gateway(stack: &mut Stack, collector: Option<&str>) -> Result<Vec<(&'static str, String)>> {
    let config = stack.reachable(&cargo::workspace().join("gateway/gateway.yaml"))?;
    let mut settings = vec![
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
    ];
    if let Some((_, address)) = collector.and_then(|url| url.split_once("://")) {
        settings.push(("SOUK_OTLP_ADDR", address.trim_end_matches('/').to_owned()));
    }
    for key in RATES {
        // Tests simulate many shoppers from one address.
        let unlimited = (stack.mode == Mode::Test).then(|| "1000000".to_owned());
        let wanted = std::env::var_os(key).and_then(|value| value.into_string().ok());
        settings.extend(wanted.or(unlimited).map(|quota| (key, quota)));
    }
    Ok(settings)
}

/// The mail settings. Mails go to the tests, to this system's Mailpit, or to the server in the caller's environment.
fn mail(stack: &mut Stack) -> Result<Vec<(&'static str, String)>> {
    let given = |key| Some((key, std::env::var_os(key)?.into_string().ok()?));
    let mut settings: Vec<_> = MAIL.into_iter().filter_map(given).collect();
    let tests = stack.state.ports.get(SMTP);
    let tests = tests.map(|port| format!("smtp://127.0.0.1:{port}"));
    // Later settings replace earlier ones, so these override the caller's.
    settings.extend(
        tests
            .or(extras::smtp_url(stack)?)
            .map(|url| ("SOUK_SMTP_URL", url)),
    );
    Ok(settings)
}

/// URL of the trace collector: the tests, this system's Jaeger, or the one in the caller's environment.
fn collector(stack: &mut Stack) -> Result<Option<String>> {
    if let Some(port) = stack.state.ports.get(OTLP) {
        return Ok(Some(format!("http://127.0.0.1:{port}")));
    }
    Ok(extras::otlp_url(stack)?.or_else(|| std::env::var_os(COLLECTOR)?.into_string().ok()))
}

/// The standard settings of OpenTelemetry in the caller's environment, which services also get.
fn opentelemetry_settings() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(key, _)| key.starts_with("OTEL_") && key != COLLECTOR)
}
