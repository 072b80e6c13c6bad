//! `cargo xtask test`: everything that can be checked, on servers that nobody else uses.

use anyhow::{Context as _, Result};

use crate::{
    cargo::{self, Profile},
    frontend, interrupt, layers,
    output::print,
    progress::note,
    sqlx,
    stack::{
        Alone, Mode, Stack,
        extras::{Extra, kafka},
        mongodb, postgres, rabbitmq, services,
    },
    system::install,
    up,
};

/// Checks, builds, starts a system, runs the tests against it, stops it.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    interrupt::listen()?;
    // Asked before the build replaces the file.
    let xtask = std::env::current_exe()?;
    if arguments.is_empty() {
        cargo::run(&["fmt", "--check"])?;
        layers::run()?;
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
    // Tests and programs in one go: built apart, they would resolve other features and compile everything twice.
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
            "the processes' logs are in {}",
            stack.folder.join("logs").display()
        ));
        std::process::exit(code);
    }
    Ok(())
}

fn tests(stack: &mut Stack, xtask: &std::path::Path, arguments: &[String]) -> Result<i32> {
    let turn = stack.turn()?;
    stack.state.port("gateway")?;
    stack.state.extras = Extra::TESTED.into();
    let (traces, mails) = (
        stack.state.port(services::OTLP)?,
        stack.state.port(services::SMTP)?,
    );
    stack.save()?;
    drop(turn);
    up::bring_up(stack, Profile::Development.binaries()?)?;
    let promtool = install::prometheus("promtool", &stack.log("install"))?;
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

/// Where the tests find the servers.
fn environment(stack: &mut Stack) -> Result<Vec<(&'static str, String)>> {
    let mut settings = vec![
        ("SOUK_TEST_POSTGRES", postgres::superuser_url(stack)?),
        ("SOUK_TEST_AMQP", rabbitmq::url(stack)?),
        ("SOUK_TEST_AMQP_MANAGEMENT", rabbitmq::management_url(stack)?),
        ("SOUK_TEST_MONGODB", mongodb::server_url(stack)?),
    ];
    settings.extend(kafka::brokers(stack)?.map(|brokers| ("SOUK_TEST_KAFKA", brokers)));
    Ok(settings)
}

/// For the tests of one crate at a time, which need no whole system; or one server alone.
pub(crate) fn servers(folder: &std::path::Path, only: Option<Alone>) -> Result<()> {
    interrupt::listen()?;
    let mut stack = Stack::open(folder, Mode::Test)?;
    let turn = stack.turn()?;
    let started = if let Some(only) = only {
        stack.start_only(only)
    } else {
        stack.state.extras = Extra::TESTED.into();
        stack.start_servers()
    };
    drop(turn);
    if let Err(error) = started {
        stack.stop_started()?;
        return Err(error);
    }
    let settings = match only {
        Some(Alone::Kafka) => kafka::brokers(&mut stack)?
            .map(|brokers| ("SOUK_TEST_KAFKA", brokers))
            .into_iter()
            .collect(),
        Some(Alone::Mongodb) => vec![("SOUK_TEST_MONGODB", mongodb::server_url(&mut stack)?)],
        None => environment(&mut stack)?,
    };
    for (key, value) in settings {
        print(format_args!("export {key}='{value}'"))?;
    }
    // Tests that start servers of their own do it by this program.
    print(format_args!(
        "export SOUK_XTASK='{}'",
        std::env::current_exe()?.display()
    ))?;
    Ok(())
}
