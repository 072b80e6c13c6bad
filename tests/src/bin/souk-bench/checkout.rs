//! What the running system does under load. Closed loop: each buyer places an order, waits until it is confirmed, and
//! places the next.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use e2e::{Client, products, stack::Status};
use futures::future::join_all;
use reqwest::Method;

use crate::output::print;

/// Confirmed orders a second, and how long one takes.
#[derive(Args)]
pub(crate) struct Load {
    /// Concurrent buyers, one line of results each.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32")]
    buyers: Vec<usize>,
    /// Seconds of load a line.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// The JSON of `cargo xtask status --json`.
    #[arg(long, env = "SOUK_STATUS", hide_env_values = true)]
    status: String,
}

pub(crate) async fn run(load: Load) -> Result<()> {
    let status = Status::parse(&load.status)?;
    let admin = Client::admin(&status.gateway).await;
    let most = load.buyers.iter().copied().max().unwrap_or_default();
    let created = products::create(&admin, most).await;
    let measured = match created {
        // In a task of its own, so that its panic does not leave the products in the shop.
        Ok(skus) => tokio::select! {
            measured = tokio::spawn(measure(load, status.gateway.clone(), skus)) => measured?,
            interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into),
        },
        Err(error) => Err(error),
    };
    let deleted = products::delete_all(&admin).await;
    measured.and(deleted.context("the products of the bench could not be deleted; its next run tries again"))
}

async fn measure(load: Load, gateway: String, skus: Vec<String>) -> Result<()> {
    print(format_args!(
        "buyers  confirmed/s  p50 ms  p99 ms   (202 to confirmed, {} s each)",
        load.seconds
    ))?;
    for buyers in load.buyers {
        let buy = skus
            .iter()
            .take(buyers)
            .map(|sku| buyer(&gateway, sku, Duration::from_secs(load.seconds)));
        let started = Instant::now();
        let results = join_all(buy).await.into_iter().collect::<Result<Vec<_>>>()?;
        let elapsed = started.elapsed().as_secs_f64();
        let mut latencies: Vec<f64> = results.into_iter().flatten().collect();
        ensure!(!latencies.is_empty(), "no order was confirmed");
        latencies.sort_by(f64::total_cmp);
        let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
        let rate = f64::from(u32::try_from(latencies.len())?) / elapsed;
        print(format_args!(
            "{buyers:6}  {rate:11.1}  {:6.1}  {:6.1}",
            at(50),
            at(99)
        ))?;
    }
    Ok(())
}

/// One buyer's confirmed orders: milliseconds from the 202 to the order's confirmation, by this machine's one clock.
async fn buyer(gateway: &str, sku: &str, time: Duration) -> Result<Vec<f64>> {
    let shopper = Client::shopper(gateway).await;
    let started = Instant::now();
    let mut latencies = vec![];
    while started.elapsed() < time {
        let order = shopper.order(sku, 1, "pm_card_ok").await;
        let accepted = Utc::now();
        let confirmed = confirmation(&shopper, &order).await?;
        // The confirmation may be committed before the 202 is read.
        let latency = (confirmed - accepted).max(TimeDelta::zero());
        latencies.push(latency.as_seconds_f64() * 1e3);
    }
    Ok(latencies)
}

/// Waits until an order is confirmed, as the storefront does by its events, and says when it was, by the database of
/// orders.
pub(crate) async fn confirmation(shopper: &Client, order: &serde_json::Value) -> Result<DateTime<Utc>> {
    let path = format!("/v1/orders/{}", order["id"].as_str().context("an order id")?);
    let mut events = shopper
        .request(Method::GET, &format!("{path}/events"))
        .send()
        .await?
        .error_for_status()?;
    let mut heard = String::new();
    // The snapshot tells of one that was confirmed before.
    while !heard.contains(r#""status":"confirmed""#) {
        ensure!(
            !heard.contains(r#""status":"rejected""#),
            "the order is rejected: {heard}"
        );
        let chunk = events
            .chunk()
            .await?
            .context("the events end before the order is confirmed")?;
        heard.push_str(&String::from_utf8_lossy(&chunk));
    }
    finished_at(&shopper.get(&format!("{path}/saga")).await.expect(200).body)
}

fn finished_at(saga: &serde_json::Value) -> Result<DateTime<Utc>> {
    let steps = saga["steps"].as_array().context("steps")?;
    let last = steps
        .iter()
        .rev()
        .find(|step| step["name"] == "confirm_order")
        .context("confirm_order")?;
    Ok(last["finished_at"].as_str().context("finished_at")?.parse()?)
}
