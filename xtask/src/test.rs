//! `cargo xtask test`: runs every check and test, on a separate system.

use anyhow::{Context as _, Result};

use crate::{
    cargo::{self, Profile},
    check_docs, frontend, interrupt, layers,
    output::print,
    progress::note,
    sqlx,
    stack::{
        Mode, SingleServer, Stack,
        extras::{Extra, kafka},
        mongodb, postgres, rabbitmq, services,
    },
    system::install,
    up,
};

/// Checks the sources, builds, starts a system, runs the tests against it, and stops it.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    interrupt::listen()?;
    // Read this before the build replaces the file.
    let xtask = std::env::current_exe()?;
    if arguments.is_empty() {
        cargo::run(&["fmt", "--check"])?;
        layers::run()?;
        check_docs::run()?;
        cargo::run(&[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])?;
        sqlx::run(true)?;
    }
    // Build tests and programs together. Built separately, they would resolve to different features and compile twice.
    cargo::run(&["build", "--workspace", "--all-targets"])?;
    let folder = cargo::workspace().join("target/souk-test");
    let mut leftover = Stack::open(&folder, Mode::Test)?;
    leftover.down()?;
    leftover.delete()?;
    let mut stack = Stack::open(&folder, Mode::Test)?;
    let result = tests(&mut stack, &xtask, arguments);
    stack.down()?;
    let code = result?;
    if code == 0 {
        stack.delete()?;
    } else {
        note(&format!(
            "the logs of the processes are in {}",
            stack.folder.join("logs").display()
        ));
        std::process::exit(code);
    }
    Ok(())
}

fn tests(stack: &mut Stack, xtask: &std::path::Path, arguments: &[String]) -> Result<i32> {
    let lock = stack.lock()?;
    stack.state.port("gateway")?;
    stack.state.extras = Extra::TESTED.into();
    let (traces, mails) = (
        stack.state.port(services::OTLP)?,
        stack.state.port(services::SMTP)?,
    );
    stack.save()?;
    drop(lock);
    up::bring_up(stack, Profile::Development.binaries()?)?;
    let promtool = install::program("promtool", "prometheus", &stack.log("install"))?;
    let mut tests = cargo::cargo();
    tests.arg("test");
    if arguments.is_empty() {
        tests.arg("--workspace");
    }
    let status = tests
        .args(arguments)
        .envs(environment(stack)?)
        .env("SOUK_TEST_STACK", &stack.folder)
        .env("SOUK_XTASK", xtask)
        .env("SOUK_TEST_OTLP", traces.to_string())
        .env("SOUK_TEST_SMTP", mails.to_string())
        .env("SOUK_TEST_PROMTOOL", promtool)
        .status()
        .context("cannot run cargo test")?;
    interrupt::check()?;
    let code = status.code().unwrap_or(1);
    if code == 0 && arguments.is_empty() {
        let gateway = services::url(stack, "gateway")?;
        frontend::test(stack, &gateway, xtask)?;
    }
    Ok(code)
}

/// Environment variables for the tests: the addresses of the servers, and the path of Redis, which tests start themselves.
pub(crate) fn environment(stack: &mut Stack) -> Result<Vec<(&'static str, String)>> {
    let redis = install::program("redis-server", "redis-server", &stack.log("install"))?;
    let mut settings = vec![
        ("SOUK_TEST_POSTGRES", postgres::superuser_url(stack)?),
        ("SOUK_TEST_AMQP", rabbitmq::url(stack)?),
        ("SOUK_TEST_AMQP_MANAGEMENT", rabbitmq::management_url(stack)?),
        ("SOUK_TEST_MONGODB", mongodb::server_url(stack)?),
        ("SOUK_TEST_REDIS", redis.to_string_lossy().into_owned()),
    ];
    settings.extend(kafka::brokers(stack)?.map(|brokers| ("SOUK_TEST_KAFKA", brokers)));
    Ok(settings)
}

/// Starts the servers for the tests of a single crate, which need no services, or only one of them. Prints the environment
/// for the tests.
pub(crate) fn servers(folder: &std::path::Path, only: Option<SingleServer>) -> Result<()> {
    interrupt::listen()?;
    let mut stack = Stack::open(folder, Mode::Test)?;
    let lock = stack.lock()?;
    let started = if let Some(only) = only {
        stack.start_only(only)
    } else {
        stack.state.extras = Extra::TESTED.into();
        stack.start_servers()
    };
    drop(lock);
    if let Err(error) = started {
        stack.stop_started()?;
        return Err(error);
    }
    let settings = match only {
        Some(SingleServer::Kafka) => kafka::brokers(&mut stack)?
            .map(|brokers| ("SOUK_TEST_KAFKA", brokers))
            .into_iter()
            .collect(),
        Some(SingleServer::Mongodb) => vec![("SOUK_TEST_MONGODB", mongodb::server_url(&mut stack)?)],
        None => environment(&mut stack)?,
    };
    for (key, value) in settings {
        print(format_args!("export {key}='{value}'"))?;
    }
    // Tests that start servers of their own use this program.
    print(format_args!(
        "export SOUK_XTASK='{}'",
        std::env::current_exe()?.display()
    ))?;
    Ok(())
}
