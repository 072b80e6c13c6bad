//! `souk-chaos`: kills containers of a running demo at random, and starts them again, until it is stopped.

mod docker;

use std::{io, io::Write as _, path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use clap::Parser;
use futures::future::try_join_all;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{self, Instant},
};

use crate::docker::{Container, Docker};

/// Kills one container of each service at regular intervals, and starts it again after a while.
#[derive(Debug, Parser)]
#[command(name = "souk-chaos")]
struct Chaos {
    /// Services of which a container is killed, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "orders,inventory,payments")]
    services: Vec<String>,
    /// Seconds from one kill of each service to the next.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Seconds for which a killed container stays down.
    #[arg(long, default_value_t = 3)]
    down: u64,
    /// Seconds after which the program ends. Without it, the program runs until it is stopped.
    #[arg(long)]
    seconds: Option<u64>,
    /// Name of the Compose project.
    #[arg(long, default_value = "souk")]
    project: String,
    /// Socket of the Docker engine.
    #[arg(long, default_value = "/var/run/docker.sock")]
    socket: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let chaos = Chaos::parse();
    let docker = Docker::new(&chaos.socket, &chaos.project)?;
    let running = docker.running().await?;
    for service in &chaos.services {
        ensure!(
            of(&running, service).next().is_some(),
            "no container of the service `{service}` is running in the project `{}`",
            chaos.project
        );
    }
    let mut down = vec![];
    let mut end = signal(SignalKind::terminate())?;
    let result = tokio::select! {
        result = kill_in_rounds(&chaos, &docker, &mut down) => result,
        _ = end.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
    };
    // Leave nothing down, also if the program is stopped in the middle of a round.
    start_all(&docker, &mut down).await?;
    result
}

/// Starts the containers again at the same time, since each start takes Docker a while.
async fn start_all(docker: &Docker, down: &mut Vec<Container>) -> Result<()> {
    try_join_all(down.iter().map(|container| docker.start(container))).await?;
    down.clear();
    Ok(())
}

/// Kills containers until the time is over. `down` has those that are to be started again.
async fn kill_in_rounds(chaos: &Chaos, docker: &Docker, down: &mut Vec<Container>) -> Result<()> {
    let start = Instant::now();
    let mut rounds = time::interval(Duration::from_secs(chaos.every));
    loop {
        rounds.tick().await;
        if chaos
            .seconds
            .is_some_and(|seconds| start.elapsed().as_secs() >= seconds)
        {
            return Ok(());
        }
        let running = docker.running().await?;
        let victims = chaos.services.iter().filter_map(|service| {
            let candidates: Vec<_> = of(&running, service).collect();
            e2e::random::choose(&candidates).map(|victim| (*victim).clone())
        });
        down.extend(victims);
        try_join_all(down.iter().map(|container| docker.kill(container))).await?;
        let names: Vec<_> = down.iter().map(Container::name).collect();
        writeln!(
            io::stdout(),
            "{} s: killed {}",
            start.elapsed().as_secs(),
            names.join(", ")
        )?;
        time::sleep(Duration::from_secs(chaos.down)).await;
        start_all(docker, down).await?;
    }
}

fn of<'a>(running: &'a [Container], service: &'a str) -> impl Iterator<Item = &'a Container> {
    running
        .iter()
        .filter(move |container| container.service() == service)
}
