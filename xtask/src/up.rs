//! `up`, `down` and `reset`: start, stop and delete the system.

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};

use crate::{
    builds::Builds,
    cargo::Profile,
    check, frontend, interrupt,
    output::print,
    progress::{note, step},
    seed,
    stack::{
        Stack, certificates,
        extras::{Extra, kafka},
        postgres, rabbitmq, services, status,
    },
    system::{ports, process::Process},
};

const DEFAULT_PORT: u16 = 8080;

/// The extras to start besides the shop.
pub(crate) enum RequestedExtras {
    /// These extras; it is an error if one is not available.
    Only(Vec<Extra>),
    /// All extras that can be installed on this machine.
    All,
}

/// The programs to start.
pub(crate) enum Programs {
    /// Programs that are built with this profile.
    Built(Profile),
    /// Programs in this folder.
    In(PathBuf),
}

/// Starts the system, checks it by an order, and keeps running until Ctrl-C unless `detach` is set.
pub(crate) fn run(
    mut stack: Stack,
    requested: &RequestedExtras,
    gateway_port: Option<u16>,
    programs: Programs,
    detach: bool,
) -> Result<()> {
    interrupt::listen()?;
    let missing = choose_extras(&mut stack, requested)?;
    let mut builds = Builds::start(&stack, &missing)?;
    let clock = std::time::Instant::now();
    let result = claim_port(&mut stack, gateway_port)
        .and_then(|()| match programs {
            Programs::Built(profile) => profile.build(),
            Programs::In(folder) => Ok(folder.canonicalize()?),
        })
        .and_then(|binaries| bring_up(&mut stack, binaries));
    if let Err(error) = result {
        if stack.has_started() {
            note("stopping the processes that were started");
            stack.stop_started()?;
        }
        if interrupt::requested() {
            note("interrupted");
            return Ok(());
        }
        return Err(error);
    }
    announce(&mut stack, &builds, clock.elapsed())?;
    if detach {
        builds.finish(&mut stack)?;
        note("the system keeps running; `cargo xtask down` stops it");
        return Ok(());
    }
    if stack.has_started() {
        note("press Ctrl-C to stop the system");
    } else if !builds.is_done() {
        note("the shop was running already and keeps running; Ctrl-C cancels the build");
    }
    builds.show();
    watch(&mut stack, &mut builds)?;
    drop(builds);
    stack.stop_started()
}

/// Stores which extras the system has: the requested ones and those that are running. Returns those that must be built.
fn choose_extras(stack: &mut Stack, requested: &RequestedExtras) -> Result<Vec<Extra>> {
    let _lock = stack.lock()?;
    stack.ready_folders()?;
    let runs = |extra: Extra| stack.state.live(extra.name()).is_some();
    let is_wanted = |extra: Extra| match requested {
        RequestedExtras::Only(extras) => extras.contains(&extra) || runs(extra),
        RequestedExtras::All => true,
    };
    let wanted = Extra::ALL.into_iter().filter(|extra| is_wanted(*extra));
    let wanted: BTreeSet<_> = wanted.flat_map(|extra| [Some(extra), extra.needs()]).collect();
    let (mut chosen, mut missing) = (BTreeSet::new(), vec![]);
    for extra in wanted.into_iter().flatten() {
        if let Some(tool) = extra.tool()
            && !runs(extra)
            && extra.is_missing(stack)
        {
            match (tool.check(), requested) {
                (Ok(()), _) => missing.push(extra),
                (Err(error), RequestedExtras::Only(_)) => return Err(error),
                (Err(error), RequestedExtras::All) => {
                    note(&format!("skipped: {error}"));
                    continue;
                }
            }
        }
        chosen.insert(extra);
    }
    stack.state.extras = chosen;
    stack.save()?;
    Ok(missing)
}

/// Starts servers, migrates, seeds, starts the services and places one order. `up` and `test` both use this.
pub(crate) fn bring_up(stack: &mut Stack, binaries: PathBuf) -> Result<()> {
    let lock = stack.lock()?;
    stack.state.binaries = binaries;
    stack.start_servers()?;
    if stack.has("kafka") {
        step("create Kafka's topics", || kafka::topics(stack))?;
    }
    step("issue certificates", || certificates::issue(stack))?;
    services::migrate(stack)?;
    step("grant the auditor its rights", || postgres::grant_readers(stack))?;
    services::seed(stack)?;
    frontend::build(stack)?;
    frontend::write_settings(stack)?;
    services::start_all(stack)?;
    let gateway = services::url(stack, "gateway")?;
    let password = stack.state.secret("system-check");
    stack.save()?;
    drop(lock);
    step("place an order and wait for its confirmation", || {
        check::run(&gateway, &password)
    })
}

/// Applies the pending migrations. With `contract`, also applies those that end the compatibility with the previous version.
pub(crate) fn migrate(mut stack: Stack, programs: Option<PathBuf>, contract: bool) -> Result<()> {
    interrupt::listen()?;
    let _lock = stack.lock()?;
    status::check(&stack)?;
    if let Some(folder) = programs {
        stack.state.binaries = folder.canonicalize()?;
    }
    services::migrate(&mut stack)?;
    step("grant the auditor its rights", || {
        postgres::grant_readers(&mut stack)
    })?;
    if contract {
        postgres::contract(&mut stack)?;
    }
    Ok(())
}

/// Chooses the gateway's port and stores it. Fails if another program uses that port.
fn claim_port(stack: &mut Stack, wanted: Option<u16>) -> Result<()> {
    let _lock = stack.lock()?;
    let before = stack.state.ports.get("gateway").copied();
    let port = wanted.or(before).unwrap_or(DEFAULT_PORT);
    let is_ours = before == Some(port) && stack.state.live("gateway").is_some();
    if !is_ours && !ports::is_free(port) {
        bail!(
            "port {port} is used by another program; stop it, or choose another port: cargo xtask up --gateway-port {}",
            ports::pick(&stack.state.ports)?
        );
    }
    stack.state.ports.insert("gateway".to_owned(), port);
    stack.save()
}

fn announce(stack: &mut Stack, builds: &Builds, time: Duration) -> Result<()> {
    let gateway = services::url(stack, "gateway")?.replace("127.0.0.1", "localhost");
    step("place the demo account's past orders", || {
        seed::past_orders(&gateway)
    })
    .unwrap_or_else(|error| {
        // The system works without them.
        note(&format!("some past orders could not be placed: {error:#}"));
    });
    let mut extras = String::new();
    for extra in stack.state.extras.clone() {
        let place = extra.url(stack)?.map(|url| url.replace("127.0.0.1", "localhost"));
        let place = place.or(kafka::brokers(stack)?).unwrap_or_default();
        let later = if builds.is_pending(extra.name()) {
            " (being built)"
        } else {
            ""
        };
        let _ = write!(extras, "\n  {:<21}{place}{later}", extra.title());
    }
    print(format_args!(
        "
Souk is up ({:.0} s).

  shop                 {gateway}
  API reference        {gateway}/docs
  RabbitMQ             {}{extras}
  shopper              {} / {}
  operator             {} / {}

  cargo xtask status          lists all processes
  cargo xtask logs orders -f  shows the log of orders
",
        time.as_secs_f32(),
        rabbitmq::management_url(stack)?,
        seed::SHOPPER.0,
        seed::SHOPPER.1,
        seed::OPERATOR.0,
        seed::OPERATOR.1,
    ))?;
    Ok(())
}

/// Runs until Ctrl-C. Reports processes that end but does not restart them, because the user may stop them on purpose.
fn watch(stack: &mut Stack, builds: &mut Builds) -> Result<()> {
    let mut gone = BTreeSet::new();
    while !interrupt::requested() {
        if builds.is_done() && !stack.has_started() {
            note("the system was running already and keeps running; `cargo xtask down` stops it");
            return Ok(());
        }
        interrupt::pause(Duration::from_millis(300));
        stack.refresh()?;
        if !stack.state.processes.values().any(Process::is_alive) {
            note("another command has stopped the system");
            return Ok(());
        }
        builds.start_finished(stack);
        let names = services::ORDER.into_iter().chain(crate::stack::SERVERS);
        for name in names.filter(|name| stack.has(name) && !builds.is_pending(name)) {
            if stack.state.live(name).is_some() {
                gone.remove(name);
            } else if gone.insert(name) {
                note(&format!(
                    "{name} has ended; restart it with `cargo xtask start {name}`"
                ));
            }
        }
    }
    Ok(())
}

/// Stops all processes of the system.
pub(crate) fn down(stack: &mut Stack) -> Result<()> {
    if !stack.state.processes.values().any(Process::is_alive) {
        note("no process is running");
    }
    stack.down()
}

/// Stops all processes and deletes the system's folder and data.
pub(crate) fn reset(mut stack: Stack) -> Result<()> {
    stack.down()?;
    let folder = stack.folder.clone();
    stack
        .delete()
        .with_context(|| format!("cannot delete {}", folder.display()))?;
    note("all data is deleted");
    Ok(())
}
