//! What tracing costs. Systems that differ in nothing but their tracing run side by side and are measured by turns, so
//! that what else the machine does falls on all of them alike; each figure is the median of the rounds' ratios to the
//! first system. One of them should be a twin of the first: how far it is from 1 is the noise of the run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use axum::{Router, body::Bytes, extract::State, routing::post};
use chrono::Utc;
use clap::Args;
use e2e::{
    Client,
    stack::{Process, Status},
};
use futures::future::try_join_all;
use tokio::net::TcpListener;

use crate::{
    checkout::confirmation,
    machine::{cpu_seconds, resident_mib},
    output::{print, progress},
};

/// Systems to compare.
#[derive(Args)]
pub(crate) struct Comparison {
    /// A name and the JSON of `cargo xtask status --json`; the first is what the others are compared with.
    #[arg(long = "system", value_name = "NAME=STATUS", required = true)]
    systems: Vec<String>,
    /// Where the systems send their spans; the bench takes and counts them.
    #[arg(long)]
    collector: String,
    /// How often each is measured; a multiple of the number of systems treats them alike.
    #[arg(long, default_value_t = 12)]
    rounds: usize,
    /// Requests to the gateway a round.
    #[arg(long, default_value_t = 3000)]
    requests: usize,
    /// Orders a round, one after the other.
    #[arg(long, default_value_t = 25)]
    orders: usize,
}

/// Concurrent requests to a gateway.
const CONNECTIONS: usize = 16;

/// One system under measurement.
struct System {
    name: String,
    gateway: String,
    processes: Vec<Process>,
    sku: String,
    rounds: Vec<Round>,
    /// All processes, in MiB, before the first round.
    memory: f64,
}

/// What one round took.
#[derive(Clone, Copy)]
struct Round {
    /// Seconds a request at the gateway, all connections together.
    request: f64,
    /// CPU seconds of the gateway a request.
    request_cpu: f64,
    /// Seconds from sending an order to its confirmation, the median.
    order: f64,
    /// CPU seconds of all services an order.
    order_cpu: f64,
}

/// A column of the result.
type Column = (&'static str, fn(&Round) -> f64);

const COLUMNS: [Column; 4] = [
    ("request", |round| round.request),
    ("its CPU", |round| round.request_cpu),
    ("order", |round| round.order),
    ("its CPU", |round| round.order_cpu),
];

pub(crate) async fn run(comparison: Comparison) -> Result<()> {
    let taken = collect(&comparison.collector).await?;
    let mut systems = vec![];
    for text in &comparison.systems {
        systems.push(System::open(text).await?);
    }
    // The first round warms pools and caches, and does not count.
    for round in 0..=comparison.rounds {
        for turn in turns(round, systems.len()) {
            let system = &mut systems[turn];
            let measured = system.measure(comparison.requests, comparison.orders).await?;
            if round == 0 {
                system.memory = system.memory_now()?;
            } else {
                system.rounds.push(measured);
            }
        }
        progress(format_args!("round {round} of {}", comparison.rounds));
    }
    progress("\n");
    print_comparison(&systems)?;
    print(format_args!(
        "{} rounds, {} requests and {} orders each; {} KiB of spans arrived",
        comparison.rounds,
        comparison.requests,
        comparison.orders,
        taken.load(Ordering::Relaxed) / 1024
    ))?;
    Ok(())
}

/// Whose turn it is in a round, one after the other: what one leaves to be done while the next is measured (batches to
/// send, pages to write) would otherwise always fall on the same. Over as many rounds as there are systems each follows
/// each other once, if they are even in number (E. J. Williams, 1949).
fn turns(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |place| {
        let first = if place % 2 == 0 {
            count - place / 2
        } else {
            place.div_ceil(2)
        };
        (first + round) % count
    })
}

fn print_comparison(systems: &[System]) -> Result<()> {
    let titles: String = COLUMNS.map(|(title, _)| format!("{title:>10}")).concat();
    print(format_args!(
        "{:24}{titles}{:>12}{:>12}",
        "", "MiB before", "MiB after"
    ))?;
    let first = systems.first().context("a system")?;
    for system in systems {
        let ratios = COLUMNS.map(|(_, value)| {
            let pairs = system.rounds.iter().zip(&first.rounds);
            let ratio = median(pairs.map(|(own, base)| value(own) / value(base)).collect());
            format!("{ratio:10.3}")
        });
        print(format_args!(
            "{:24}{}{:12.0}{:12.0}",
            system.name,
            ratios.concat(),
            system.memory,
            system.memory_now()?
        ))?;
    }
    let absolute = |value: fn(&Round) -> f64| median(first.rounds.iter().map(value).collect());
    print(format_args!(
        "{} = 1: {:.0} requests/s, {:.0} µs CPU each; an order {:.1} ms, {:.1} ms CPU",
        first.name,
        1.0 / absolute(|round| round.request),
        absolute(|round| round.request_cpu) * 1e6,
        absolute(|round| round.order) * 1e3,
        absolute(|round| round.order_cpu) * 1e3,
    ))?;
    Ok(())
}

impl System {
    async fn open(text: &str) -> Result<Self> {
        let (name, status) = text.split_once('=').context("NAME=STATUS")?;
        let status = Status::parse(status)?;
        let sku = Client::admin(&status.gateway).await.product(1_000_000).await;
        let processes = status
            .processes
            .into_iter()
            .filter(|process| process.admin_url.is_some())
            .collect();
        Ok(Self {
            name: name.to_owned(),
            processes,
            gateway: status.gateway,
            sku,
            rounds: vec![],
            memory: 0.0,
        })
    }

    async fn measure(&self, requests: usize, orders: usize) -> Result<Round> {
        // For every round, since a login ends sooner than many rounds.
        let shopper = Client::shopper(&self.gateway).await;
        let (requests_each, orders_as_number) = (requests / CONNECTIONS, f64::from(u32::try_from(orders)?));
        let total = f64::from(u32::try_from(requests_each * CONNECTIONS)?);
        let (clock, cpu) = (Instant::now(), self.cpu(|name| name == "gateway")?);
        try_join_all((0..CONNECTIONS).map(|_| self.browse(&shopper, requests_each))).await?;
        let request = clock.elapsed().as_secs_f64() / total;
        let request_cpu = (self.cpu(|name| name == "gateway")? - cpu) / total;

        let cpu = self.cpu(|_| true)?;
        let mut times = vec![];
        for _ in 0..orders {
            let sent = Utc::now();
            let order = shopper.order(&self.sku, 1, "pm_card_ok").await;
            let confirmed = confirmation(&shopper, &order).await?;
            times.push((confirmed - sent).as_seconds_f64());
        }
        Ok(Round {
            request,
            request_cpu,
            order: median(times),
            order_cpu: (self.cpu(|_| true)? - cpu) / orders_as_number,
        })
    }

    async fn browse(&self, shopper: &Client, times: usize) -> Result<()> {
        for _ in 0..times {
            let answer = shopper.get("/v1/categories").await;
            ensure!(answer.status == 200, "{}: {:#}", self.name, answer.body);
        }
        Ok(())
    }

    /// CPU seconds that the chosen services have used since they began.
    fn cpu(&self, chosen: impl Fn(&str) -> bool) -> Result<f64> {
        let chosen = self.processes.iter().filter(|process| chosen(&process.name));
        chosen.map(|process| cpu_seconds(process.pid)).sum()
    }

    fn memory_now(&self) -> Result<f64> {
        self.processes
            .iter()
            .map(|process| resident_mib(process.pid))
            .sum()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Takes spans as a collector does, and keeps nothing but their size.
async fn collect(address: &str) -> Result<Arc<AtomicU64>> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen at {address}"))?;
    let taken = Arc::new(AtomicU64::new(0));
    let router = Router::new()
        .route("/v1/traces", post(take))
        .with_state(Arc::clone(&taken));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(taken)
}

async fn take(State(taken): State<Arc<AtomicU64>>, spans: Bytes) {
    taken.fetch_add(u64::try_from(spans.len()).unwrap_or(0), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_follows_each_other_once() {
        let mut pairs = BTreeSet::new();
        for round in 0..6 {
            let order: Vec<_> = turns(round, 6).collect();
            assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 6, "{order:?}");
            assert!(order.windows(2).all(|pair| pairs.insert([pair[0], pair[1]])));
        }
        assert_eq!(pairs.len(), 6 * 5);
    }
}
