//! What a system does under load. Closed loop: each buyer places an order, waits until it is confirmed, and places the
//! next.

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
use futures::{
    StreamExt as _,
    future::join_all,
    stream::{self, TryStreamExt as _},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    ceiling::{self, Ceiling},
    fill::fill,
    machine::Usage,
    output::print,
};

/// Confirmed orders a second, and how long one takes.
#[derive(Args)]
pub(crate) struct Load {
    /// Concurrent buyers, one line of results each.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32,64,128")]
    buyers: Vec<usize>,
    /// Seconds of load a line.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Seconds of the same load before each line, which do not count.
    #[arg(long, default_value_t = 3)]
    warm_up: u64,
    /// Products that are bought, by turns; 1 is a popular one. As many as buyers, unless given.
    #[arg(long)]
    products: Option<usize>,
    /// Lines of an order, each of another product.
    #[arg(long, default_value_t = 1)]
    lines: usize,
    /// Orders and products that are there before, copies of one. For a system of the bench's own.
    #[arg(long, default_value_t = 0)]
    fill: u32,
    /// The gateway of a system that runs elsewhere, in demo mode. What its processes take is not seen then.
    #[arg(long)]
    url: Option<String>,
    /// The JSON of `cargo xtask status --json`.
    #[arg(long, env = "SOUK_STATUS", hide_env_values = true, default_value = "")]
    status: String,
    /// PostgreSQL's superuser, whose server's ceiling is measured.
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
            .context("only a system of the bench's own is filled")?;
        fill(postgres, &status, load.fill).await?;
    }
    let admin = Client::admin(&status.gateway).await;
    let most = load.buyers.iter().copied().max().unwrap_or_default();
    let count = load.products.unwrap_or(most).max(load.lines);
    let measured = match products::create(&admin, count).await {
        // In a task of its own, so that its panic does not leave the products in the shop.
        Ok(skus) => tokio::select! {
            measured = tokio::spawn(measure(load, status.clone(), skus, ceiling)) => measured?,
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into),
        },
        Err(error) => Err(error),
    };
    // The login of before may have ended.
    let deleted = products::delete_all(&Client::admin(&status.gateway).await).await;
    measured.and(deleted.context("the products of the bench could not be deleted; its next run tries again"))
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
        "{} products, {} lines an order, {} s each; latency is from the 202 to the confirmation",
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
            Bought::all(join_all(buy).await)
        };
        buy(load.warm_up).await;
        let before = Sample::take(&status.processes).await?;
        let bought = buy(load.seconds).await;
        let after = Sample::take(&status.processes).await?;
        let taken = Taken::between(&before, &after, &idle, bought.latencies.len())?;
        line(buyers, bought, &before, &after, &taken, ceiling.as_ref())?;
        last = Some((buyers, taken, after));
    }
    if let Some((buyers, taken, after)) = last.filter(|_| !status.processes.is_empty()) {
        print(format_args!(
            "\nwith {buyers} buyers, a checkout took calls of\n{}",
            taken.calls
        ))?;
        for (name, mib) in after.usage.memory() {
            let cpu = taken.cpu.get(name).copied().unwrap_or_default();
            print(format_args!(
                "{name:14} {cpu:6.2} ms CPU a checkout {mib:6.0} MiB"
            ))?;
        }
    }
    if let Some(ceiling) = ceiling {
        print(format_args!("\n{ceiling}"))?;
    }
    Ok(())
}

/// Prints what one number of buyers came to.
fn line(
    buyers: usize,
    bought: Bought,
    before: &Sample,
    after: &Sample,
    taken: &Taken,
    ceiling: Option<&Ceiling>,
) -> Result<()> {
    let mut latencies = bought.latencies;
    if latencies.is_empty() {
        bail!("no order was confirmed: {:?}", bought.errors);
    }
    latencies.sort_by(f64::total_cmp);
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
    let rate = f64::from(u32::try_from(latencies.len())?) / (after.at - before.at).as_secs_f64();
    let cpu: f64 = taken.cpu.values().sum();
    let ratio = ceiling.map_or(f64::NAN, |ceiling| rate / ceiling.rate(&taken.calls));
    let errors: usize = bought.errors.values().sum();
    print(format_args!(
        "{buyers:6}  {rate:11.1}  {:7.1}  {:7.1}  {:7}  {errors:6}  {cpu:6.1}  {ratio:10.2}",
        at(50),
        at(99),
        bought.refused,
    ))?;
    for (error, times) in bought.errors {
        print(format_args!("        {times} × {error}"))?;
    }
    Ok(())
}

/// What the processes have done and taken until one moment.
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

/// What a checkout took.
struct Taken {
    calls: Counts,
    /// CPU milliseconds of one checkout, by the name of the process.
    cpu: BTreeMap<String, f64>,
}

impl Taken {
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

/// What buyers came to.
#[derive(Default)]
struct Bought {
    /// Milliseconds from the 202 to the confirmation, of each confirmed order.
    latencies: Vec<f64>,
    /// Orders that were refused for a while, because the system had too much to do.
    refused: usize,
    /// What went wrong, and how often.
    errors: BTreeMap<String, usize>,
}

impl Bought {
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

/// Buys for some time. The products come by turns, and every buyer begins with another one.
async fn buyer(shopper: &Client, skus: &[String], number: usize, lines: usize, time: Duration) -> Bought {
    let (started, mut bought) = (Instant::now(), Bought::default());
    let mut next = number;
    while started.elapsed() < time {
        let items = skus.iter().cycle().skip(next % skus.len()).take(lines);
        next += lines;
        match order(shopper, items).await {
            Ok(Some(latency)) => bought.latencies.push(latency),
            Ok(None) => {
                bought.refused += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => *bought.errors.entry(format!("{error:#}")).or_default() += 1,
        }
    }
    bought
}

/// One order; none if it was refused for now. Milliseconds by this machine's one clock.
async fn order(shopper: &Client, skus: impl Iterator<Item = &String>) -> Result<Option<f64>> {
    let mut body = client::order_body("", 1, "pm_card_ok");
    body["items"] = skus.map(|sku| json!({"sku": sku, "quantity": 1})).collect();
    let request = shopper
        .request(Method::POST, "/v1/orders")
        .header("idempotency-key", Uuid::new_v4().to_string())
        .json(&body);
    let answer = shopper.try_send(request).await?;
    if answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.headers.contains_key("retry-after") {
        return Ok(None);
    }
    ensure!(
        answer.status == StatusCode::ACCEPTED,
        "{} {}",
        answer.status,
        answer.body["detail"]
    );
    let accepted = Utc::now();
    let confirmed = confirmation(shopper, &answer.body).await?;
    // The confirmation may be committed before the 202 is read.
    let latency = (confirmed - accepted).max(TimeDelta::zero());
    Ok(Some(latency.as_seconds_f64() * 1e3))
}

/// Waits until an order is confirmed, as the storefront does by its events, and says when it was, by the database of
/// orders.
pub(crate) async fn confirmation(shopper: &Client, order: &Value) -> Result<DateTime<Utc>> {
    let path = format!(
        "/v1/orders/{}/events",
        order["id"].as_str().context("an order id")?
    );
    let events = shopper
        .request(Method::GET, &path)
        .send()
        .await?
        .error_for_status()?;
    let mut chunks = events.bytes_stream();
    let mut heard = Vec::new();
    while let Some(chunk) = chunks.try_next().await? {
        heard.extend_from_slice(&chunk);
        while let Some(end) = heard.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = heard.drain(..=end).collect();
            let data = line.strip_prefix(b"data:").unwrap_or_default();
            let event: Value = serde_json::from_slice(data).unwrap_or_default();
            match event["order"]["status"].as_str() {
                None | Some("pending") => {}
                // The snapshot of an order that was confirmed before has no time of its own.
                Some("confirmed") => {
                    let at = event["at"].as_str().or(event["order"]["updated_at"].as_str());
                    return Ok(at.context("a time")?.parse()?);
                }
                Some(other) => bail!("an order is {other}: {}", event["order"]["reason"]),
            }
        }
    }
    bail!("the events end before the order is confirmed")
}
