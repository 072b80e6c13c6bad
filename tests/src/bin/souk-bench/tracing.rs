//! Measures the cost of tracing. Systems that differ only in their tracing settings run concurrently and are measured in
//! turn, so that other load on the machine affects all of them equally. Each result is the median of the rounds' ratios to
//! the first system. One system should be identical to the first: its deviation from 1 is the noise of the measurement.

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

/// Compares systems with different tracing settings.
#[derive(Args)]
pub(crate) struct Comparison {
    /// Name and output of `cargo xtask status --json` of a system; the others are compared with the first.
    #[arg(long = "system", value_name = "NAME=STATUS", required = true)]
    systems: Vec<String>,
    /// Address to which the systems send their spans; the benchmark listens there and counts their size.
    #[arg(long)]
    collector: String,
    /// Number of measurements per system; a multiple of the number of systems treats them equally.
    #[arg(long, default_value_t = 12)]
    rounds: usize,
    /// Requests to the gateway per round.
    #[arg(long, default_value_t = 3000)]
    requests: usize,
    /// Orders per round, one after another.
    #[arg(long, default_value_t = 25)]
    orders: usize,
}

/// Number of concurrent requests to a gateway.
const CONNECTIONS: usize = 16;

/// A system that is measured.
struct System {
    name: String,
    gateway: String,
    processes: Vec<Process>,
    sku: String,
    rounds: Vec<Round>,
    /// Memory of all processes before the first round, in MiB.
    memory: f64,
}

/// The measurements of one round.
#[derive(Clone, Copy)]
struct Round {
    /// Seconds per request at the gateway, over all connections together.
    request: f64,
    /// CPU seconds of the gateway per request.
    request_cpu: f64,
    /// Median seconds from sending an order to its confirmation.
    order: f64,
    /// CPU seconds of all services per order.
    order_cpu: f64,
}

/// A column of the result: its title and value.
type Column = (&'static str, fn(&Round) -> f64);

const COLUMNS: [Column; 4] = [
    ("request", |round| round.request),
    ("its CPU", |round| round.request_cpu),
    ("order", |round| round.order),
    ("its CPU", |round| round.order_cpu),
];

pub(crate) async fn run(comparison: Comparison) -> Result<()> {
    let received = collect(&comparison.collector).await?;
    let mut systems = vec![];
    for text in &comparison.systems {
        systems.push(System::open(text).await?);
    }
    // The first round warms up pools and caches, and is not counted.
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
        "{} rounds, {} requests and {} orders each; {} KiB of spans received",
        comparison.rounds,
        comparison.requests,
        comparison.orders,
        received.load(Ordering::Relaxed) / 1024
    ))?;
    Ok(())
}

/// Returns the order of the systems in a round. The order changes, because remaining work of one system (batches to send,
/// pages to write) affects the next one. Over as many rounds as there are systems, each system follows every other system
/// exactly once, if their number is even (E. J. Williams, 1949).
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
        // Log in for every round, because an access token expires before the last one.
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
            let response = shopper.get("/v1/categories").await;
            ensure!(response.status == 200, "{}: {:#}", self.name, response.body);
        }
        Ok(())
    }

    /// Returns the CPU seconds that the selected services have used since their start.
    fn cpu(&self, is_selected: impl Fn(&str) -> bool) -> Result<f64> {
        let selected = self.processes.iter().filter(|process| is_selected(&process.name));
        selected.map(|process| cpu_seconds(process.pid)).sum()
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

/// Starts a collector that only counts the size of the spans it receives.
async fn collect(address: &str) -> Result<Arc<AtomicU64>> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen at {address}"))?;
    let received = Arc::new(AtomicU64::new(0));
    let router = Router::new()
        .route("/v1/traces", post(receive))
        .with_state(Arc::clone(&received));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(received)
}

async fn receive(State(received): State<Arc<AtomicU64>>, spans: Bytes) {
    received.fetch_add(u64::try_from(spans.len()).unwrap_or(0), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_system_follows_every_other_once() {
        let mut pairs = BTreeSet::new();
        for round in 0..6 {
            let order: Vec<_> = turns(round, 6).collect();
            assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 6, "{order:?}");
            assert!(order.windows(2).all(|pair| pairs.insert([pair[0], pair[1]])));
        }
        assert_eq!(pairs.len(), 6 * 5);
    }
}
