//! Measures checkouts under load in a closed loop: each buyer places an order, waits until it is confirmed, and places the
//! next one.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use e2e::{
    Client, client,
    counts::{self, Counts},
    products,
    stack::{Process, Status},
};
use futures::{StreamExt as _, future::join_all, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    ceiling::{self, Ceiling},
    fill::fill,
    machine::Usage,
    output::print,
};

/// Measures confirmed orders per second and their latency.
#[derive(Args)]
pub(crate) struct Load {
    /// Numbers of concurrent buyers; each gives one line of results.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32,64,128")]
    buyers: Vec<usize>,
    /// Seconds of load per line.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Seconds of warm-up load before each line, which are not measured.
    #[arg(long, default_value_t = 3)]
    warm_up: u64,
    /// Number of products that are bought in turn; 1 measures contention on one product. Default: the number of buyers.
    #[arg(long)]
    products: Option<usize>,
    /// Lines per order, each with a different product.
    #[arg(long, default_value_t = 1)]
    lines: usize,
    /// Number of orders and products to add before the measurement, as copies of one. Only for a system of the benchmark.
    #[arg(long, default_value_t = 0)]
    fill: u32,
    /// URL of the gateway of another system in demo mode. The resources of its processes are not measured.
    #[arg(long)]
    url: Option<String>,
    /// The output of `cargo xtask status --json`.
    #[arg(long, env = "SOUK_STATUS", hide_env_values = true, default_value = "")]
    status: String,
    /// URL of the PostgreSQL superuser, for measuring the maximum rates of the servers.
    #[arg(long, env = "SOUK_BENCH_POSTGRES", hide_env_values = true)]
    postgres: Option<String>,
}

pub(crate) async fn run(load: Load) -> Result<()> {
    let status = match &load.url {
        Some(url) => Status::elsewhere(url),
        None => Status::parse(&load.status)?,
    };
    let ceiling = match &load.postgres {
        Some(postgres) => Some(ceiling::measure(postgres, &status).await?),
        None => None,
    };
    if load.fill > 0 {
        let postgres = load
            .postgres
            .as_deref()
            .context("only a system of the benchmark can be filled")?;
        fill(postgres, &status, load.fill).await?;
    }
    let admin = Client::admin(&status.gateway).await;
    let most = load.buyers.iter().copied().max().unwrap_or_default();
    let count = load.products.unwrap_or(most).max(load.lines);
    let measured = match products::create(&admin, count).await {
        // In a separate task, so that the products are deleted even after a panic.
        Ok(skus) => tokio::select! {
            measured = tokio::spawn(measure(load, status.clone(), skus, ceiling)) => measured?,
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into),
        },
        Err(error) => Err(error),
    };
    // Log in again, because the first session may have expired.
    let deleted = products::delete_all(&Client::admin(&status.gateway).await).await;
    measured
        .and(deleted.context("the products of the benchmark could not be deleted; the next run will retry"))
}

async fn measure(load: Load, status: Status, skus: Vec<String>, ceiling: Option<Ceiling>) -> Result<()> {
    let idle = counts::idle(&status.processes, Duration::from_secs(5)).await?;
    let most = load.buyers.iter().copied().max().unwrap_or_default();
    let shoppers: Vec<Client> = stream::iter(0..most)
        .map(|_| Client::shopper(&status.gateway))
        .buffered(4)
        .collect()
        .await;
    print(format_args!(
        "{} products, {} lines per order, {} s each; latency is from the 202 response to the confirmation",
        skus.len(),
        load.lines,
        load.seconds
    ))?;
    print("buyers  confirmed/s   p50 ms   p99 ms  refused  errors  CPU ms  of ceiling")?;
    let mut last = None;
    for buyers in load.buyers {
        let buy = async |seconds| {
            let time = Duration::from_secs(seconds);
            let buy = shoppers.iter().take(buyers).enumerate();
            let buy = buy.map(|(number, shopper)| buyer(shopper, &skus, number, load.lines, time));
            Purchases::all(join_all(buy).await)
        };
        buy(load.warm_up).await;
        let before = Sample::take(&status.processes).await?;
        let purchases = buy(load.seconds).await;
        let after = Sample::take(&status.processes).await?;
        let cost = Cost::between(&before, &after, &idle, purchases.latencies.len())?;
        line(buyers, purchases, &before, &after, &cost, ceiling.as_ref())?;
        last = Some((buyers, cost, after));
    }
    if let Some((buyers, cost, after)) = last.filter(|_| !status.processes.is_empty()) {
        print(format_args!(
            "\ncalls per checkout with {buyers} buyers\n{}",
            cost.calls
        ))?;
        for (name, mib) in after.usage.memory() {
            let cpu = cost.cpu.get(name).copied().unwrap_or_default();
            print(format_args!(
                "{name:14} {cpu:6.2} ms CPU per checkout {mib:6.0} MiB"
            ))?;
        }
    }
    if let Some(ceiling) = ceiling {
        print(format_args!("\n{ceiling}"))?;
    }
    Ok(())
}

/// Prints the result for one number of buyers.
fn line(
    buyers: usize,
    purchases: Purchases,
    before: &Sample,
    after: &Sample,
    cost: &Cost,
    ceiling: Option<&Ceiling>,
) -> Result<()> {
    let mut latencies = purchases.latencies;
    if latencies.is_empty() {
        bail!("no order was confirmed: {:?}", purchases.errors);
    }
    latencies.sort_by(f64::total_cmp);
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
    let rate = f64::from(u32::try_from(latencies.len())?) / (after.at - before.at).as_secs_f64();
    let cpu: f64 = cost.cpu.values().sum();
    let ratio = ceiling.map_or(f64::NAN, |ceiling| rate / ceiling.rate(&cost.calls));
    let errors: usize = purchases.errors.values().sum();
    print(format_args!(
        "{buyers:6}  {rate:11.1}  {:7.1}  {:7.1}  {:7}  {errors:6}  {cpu:6.1}  {ratio:10.2}",
        at(50),
        at(99),
        purchases.refused,
    ))?;
    for (error, times) in purchases.errors {
        print(format_args!("        {times} × {error}"))?;
    }
    Ok(())
}

/// The calls and the resource usage of the processes up to one point in time.
struct Sample {
    at: Instant,
    calls: Counts,
    usage: Usage,
}

impl Sample {
    async fn take(processes: &[Process]) -> Result<Self> {
        Ok(Self {
            calls: Counts::read(processes).await?,
            usage: Usage::read(processes)?,
            at: Instant::now(),
        })
    }
}

/// The calls and the CPU time per checkout.
struct Cost {
    calls: Counts,
    /// CPU milliseconds per checkout, by name of the process.
    cpu: BTreeMap<String, f64>,
}

impl Cost {
    fn between(before: &Sample, after: &Sample, idle: &Counts, checkouts: usize) -> Result<Self> {
        let times = f64::from(u32::try_from(checkouts)?);
        let cpu = after.usage.cpu_since(&before.usage, times);
        Ok(Self {
            calls: after
                .calls
                .since(&before.calls, after.at - before.at, idle, times),
            cpu: cpu
                .into_iter()
                .map(|(name, cpu)| (name.to_owned(), cpu))
                .collect(),
        })
    }
}

/// The results of one or more buyers.
#[derive(Default)]
struct Purchases {
    /// Milliseconds from the 202 response to the confirmation, for each confirmed order.
    latencies: Vec<f64>,
    /// Number of orders that were refused because the system was overloaded.
    refused: usize,
    /// Number of occurrences of each error.
    errors: BTreeMap<String, usize>,
}

impl Purchases {
    fn all(buyers: Vec<Self>) -> Self {
        let mut all = Self::default();
        for buyer in buyers {
            all.latencies.extend(buyer.latencies);
            all.refused += buyer.refused;
            for (error, times) in buyer.errors {
                *all.errors.entry(error).or_default() += times;
            }
        }
        all
    }
}

/// Buys products in turn for some time. Every buyer starts with a different product.
async fn buyer(shopper: &Client, skus: &[String], number: usize, lines: usize, time: Duration) -> Purchases {
    let (started, mut purchases) = (Instant::now(), Purchases::default());
    let mut next = number;
    while started.elapsed() < time {
        let items = skus.iter().cycle().skip(next % skus.len()).take(lines);
        next += lines;
        match order(shopper, items).await {
            Ok(Some(latency)) => purchases.latencies.push(latency),
            Ok(None) => {
                purchases.refused += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => *purchases.errors.entry(format!("{error:#}")).or_default() += 1,
        }
    }
    purchases
}

/// Places one order and returns its latency in milliseconds, or `None` if the system was overloaded. Client and database must
/// have the same clock.
async fn order(shopper: &Client, skus: impl Iterator<Item = &String>) -> Result<Option<f64>> {
    let mut body = client::order_body("", 1, "pm_card_ok");
    body["items"] = skus.map(|sku| json!({"sku": sku, "quantity": 1})).collect();
    let request = shopper
        .request(Method::POST, "/v1/orders")
        .header("idempotency-key", Uuid::new_v4().to_string())
        .json(&body);
    let response = shopper.try_send(request).await?;
    if response.status == StatusCode::SERVICE_UNAVAILABLE && response.headers.contains_key("retry-after") {
        return Ok(None);
    }
    ensure!(
        response.status == StatusCode::ACCEPTED,
        "{} {}",
        response.status,
        response.body["detail"]
    );
    let accepted = Utc::now();
    let confirmed = confirmation(shopper, &response.body).await?;
    // The confirmation may be committed before the 202 response is read.
    let latency = (confirmed - accepted).max(TimeDelta::zero());
    Ok(Some(latency.as_seconds_f64() * 1e3))
}

/// Waits for the confirmation of an order through its event stream, as the storefront does. Returns its time by the clock of
/// the orders database.
pub(crate) async fn confirmation(shopper: &Client, order: &Value) -> Result<DateTime<Utc>> {
    let path = format!(
        "/v1/orders/{}/events",
        order["id"].as_str().context("an order id")?
    );
    let mut events = client::Events::open(shopper.request(Method::GET, &path)).await?;
    while let Some(event) = events.next().await? {
        match event["order"]["status"].as_str() {
            None | Some("pending") => {}
            // The initial snapshot of a confirmed order has no event time.
            Some("confirmed") => {
                let at = event["at"].as_str().or(event["order"]["updated_at"].as_str());
                return Ok(at.context("a time")?.parse()?);
            }
            Some(other) => bail!("an order is {other}: {}", event["order"]["reason"]),
        }
    }
    bail!("the event stream ended before the order was confirmed")
}
