//! `up`, `down` and `reset`: the life of the system that a person uses.

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
        Stack,
        extras::{Extra, kafka},
        postgres, rabbitmq, services,
    },
    system::{ports, process::Process},
};

const DEFAULT_PORT: u16 = 8080;

/// What is to come up besides the shop.
pub(crate) enum Asked {
    /// These, or it is an error.
    For(Vec<Extra>),
    /// All that this machine can have.
    All,
}

/// Brings everything up, proves it by an order, and stays until Ctrl-C unless `detach`.
pub(crate) fn run(
    mut stack: Stack,
    asked: &Asked,
    gateway_port: Option<u16>,
    profile: Profile,
    detach: bool,
) -> Result<()> {
    interrupt::listen()?;
    let missing = choose(&mut stack, asked)?;
    let mut builds = Builds::start(&stack, &missing)?;
    let clock = std::time::Instant::now();
    let result = claim_port(&mut stack, gateway_port)
        .and_then(|()| profile.build())
        .and_then(|binaries| bring_up(&mut stack, binaries));
    if let Err(error) = result {
        if stack.has_started() {
            note("stopping what was started");
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
        note("it goes on running; `cargo xtask down` stops it");
        return Ok(());
    }
    if stack.has_started() {
        note("Ctrl-C stops it");
    } else if !builds.is_done() {
        note("the shop ran before and goes on running; Ctrl-C gives up the build");
    }
    builds.show();
    watch(&mut stack, &mut builds)?;
    drop(builds);
    stack.stop_started()
}

/// Remembers what is asked for now, and what runs already. Returns those that must be built.
fn choose(stack: &mut Stack, asked: &Asked) -> Result<Vec<Extra>> {
    let _turn = stack.turn()?;
    stack.ready_folders()?;
    let runs = |extra: Extra| stack.state.live(extra.name()).is_some();
    let is_wanted = |extra: Extra| match asked {
        Asked::For(extras) => extras.contains(&extra) || runs(extra),
        Asked::All => true,
    };
    let wanted = Extra::ALL.into_iter().filter(|extra| is_wanted(*extra));
    let wanted: BTreeSet<_> = wanted.flat_map(|extra| [Some(extra), extra.needs()]).collect();
    let (mut chosen, mut missing) = (BTreeSet::new(), vec![]);
    for extra in wanted.into_iter().flatten() {
        if let Some(tool) = extra.tool()
            && !runs(extra)
            && extra.is_missing(stack)
        {
            match (tool.check(), asked) {
                (Ok(()), _) => missing.push(extra),
                (Err(error), Asked::For(_)) => return Err(error),
                (Err(error), Asked::All) => {
                    note(&format!("left out: {error}"));
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

/// Servers, schemas, seed, services, and one order: all that `up` and `test` have in common.
pub(crate) fn bring_up(stack: &mut Stack, binaries: PathBuf) -> Result<()> {
    let turn = stack.turn()?;
    stack.state.binaries = binaries;
    stack.start_servers()?;
    if stack.has("kafka") {
        step("create Kafka's topics", || kafka::topics(stack))?;
    }
    services::migrate(stack)?;
    step("let the auditor read", || postgres::readers(stack))?;
    services::seed(stack)?;
    frontend::build(stack)?;
    frontend::settings(stack)?;
    services::start_all(stack)?;
    let gateway = services::url(stack, "gateway")?;
    let password = stack.state.secret("system-check")?;
    stack.save()?;
    drop(turn);
    step("place an order and see it confirmed", || {
        check::run(&gateway, &password)
    })
}

/// Takes the port of the public door.
fn claim_port(stack: &mut Stack, wanted: Option<u16>) -> Result<()> {
    let _turn = stack.turn()?;
    let before = stack.state.ports.get("gateway").copied();
    let port = wanted.or(before).unwrap_or(DEFAULT_PORT);
    let is_ours = before == Some(port) && stack.state.live("gateway").is_some();
    if !is_ours && !ports::is_free(port) {
        bail!(
            "port {port} is taken by another program; stop it, or choose another port: cargo xtask up --gateway-port {}",
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
        // The system is fine without them.
        note(&format!("not all past orders could be placed: {error:#}"));
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

  the shop             {gateway}
  the API, browsable   {gateway}/docs
  RabbitMQ's own page  {}{extras}
  shopper              {} / {}
  operator             {} / {}

  cargo xtask status   what runs, and where
  cargo xtask logs orders -f
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

/// Until Ctrl-C. A process that ends is named, and nothing else is done: somebody may be breaking the system on purpose.
fn watch(stack: &mut Stack, builds: &mut Builds) -> Result<()> {
    let mut gone = BTreeSet::new();
    while !interrupt::requested() {
        if builds.is_done() && !stack.has_started() {
            note("all of it ran before and goes on running; `cargo xtask down` stops it");
            return Ok(());
        }
        interrupt::pause(Duration::from_millis(300));
        stack.refresh()?;
        if !stack.state.processes.values().any(Process::is_alive) {
            note("everything was stopped");
            return Ok(());
        }
        builds.proceed(stack);
        let names = services::ORDER.into_iter().chain(crate::stack::SERVERS);
        for name in names.filter(|name| stack.has(name) && !builds.is_pending(name)) {
            if stack.state.live(name).is_some() {
                gone.remove(name);
            } else if gone.insert(name) {
                note(&format!(
                    "{name} has ended; `cargo xtask start {name}` starts it again"
                ));
            }
        }
    }
    Ok(())
}

/// Stops everything.
pub(crate) fn down(stack: &mut Stack) -> Result<()> {
    if !stack.state.processes.values().any(Process::is_alive) {
        note("nothing runs");
    }
    stack.down()
}

/// Stops everything and deletes the data.
pub(crate) fn reset(mut stack: Stack) -> Result<()> {
    stack.down()?;
    let folder = stack.folder.clone();
    stack
        .delete()
        .with_context(|| format!("cannot delete {}", folder.display()))?;
    note("everything is deleted");
    Ok(())
}
