//! Tests the system with more orders than it can process while its processes are killed: no acknowledged order is lost, and
//! the system recovers within the time limit without help.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::time::{Duration, Instant};

use e2e::{Client, Stack, client};
use futures::future::join_all;
use uuid::Uuid;

const BUYERS: usize = 6;
const STORM: Duration = Duration::from_secs(40);
/// The processes that are killed one after another during the storm.
const VICTIMS: [&str; 6] = ["psp", "inventory", "orders", "rabbitmq", "payments", "inventory"];
/// How long a killed process stays down.
const OUTAGE: Duration = Duration::from_secs(2);
/// Time limit after the last kill until every acknowledged order is settled.
const RECOVERY: Duration = Duration::from_mins(2);

/// Places orders until `until`, and returns how many were acknowledged. Requests that fail or are refused are retried with the
/// same idempotency key.
async fn buy_until(shopper: &Client, sku: &str, until: Instant) -> usize {
    let (mut acknowledged, mut key) = (0, Uuid::new_v4().to_string());
    while Instant::now() < until {
        let request = shopper
            .request(reqwest::Method::POST, "/v1/orders")
            .header("idempotency-key", &key)
            .json(&client::order_body(sku, 1, "pm_card_ok"));
        match shopper.try_send(request).await {
            Ok(response) if response.status == 202 => {
                acknowledged += 1;
                key = Uuid::new_v4().to_string();
            }
            Ok(response) => {
                let wait = response
                    .headers
                    .get("retry-after")
                    .and_then(|value| value.to_str().ok()?.parse().ok());
                assert!(
                    response.status.is_server_error() || wait.is_some(),
                    "{} {:#}",
                    response.status,
                    response.body
                );
                tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1))).await;
            }
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
    acknowledged
}

/// Returns the number of a shopper's orders with this status, or `None` while the system does not respond.
async fn count(shopper: &Client, status: &str) -> Option<usize> {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let path = format!("/v1/orders?status={status}&limit=100{cursor}");
        let response = shopper
            .try_send(shopper.request(reqwest::Method::GET, &path))
            .await
            .ok()
            .filter(|response| response.status == 200)?;
        count += response.body["items"].as_array()?.len();
        match response.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Some(count),
        }
    }
}

async fn kill_in_turn(stack: &Stack, until: Instant) {
    let interval = STORM / u32::try_from(VICTIMS.len()).expect("a few victims");
    for victim in VICTIMS {
        stack.kill(victim);
        tokio::time::sleep(OUTAGE).await;
        stack.start(victim);
        if Instant::now() + interval < until {
            tokio::time::sleep(interval.saturating_sub(OUTAGE)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_orders_settle_after_a_storm_of_orders_and_kills() {
    let stack = Stack::running();
    let gateway = &stack.status.gateway;
    let admin = Client::admin(gateway).await;
    let shoppers = join_all((0..BUYERS).map(|_| Client::shopper(gateway))).await;
    let skus = join_all(shoppers.iter().map(|_| admin.product(10_000))).await;

    let until = Instant::now() + STORM;
    let buy = join_all(
        shoppers
            .iter()
            .zip(&skus)
            .map(|(shopper, sku)| buy_until(shopper, sku, until)),
    );
    let (acknowledged, ()) = tokio::join!(buy, kill_in_turn(&stack, until));
    let last_kill = Instant::now();

    let mut remaining = usize::MAX;
    while remaining > 0 {
        assert!(
            last_kill.elapsed() < RECOVERY,
            "{remaining} of {} orders are still pending",
            acknowledged.iter().sum::<usize>()
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
        let pending = join_all(shoppers.iter().map(|shopper| count(shopper, "pending"))).await;
        remaining = pending.into_iter().sum::<Option<usize>>().unwrap_or(usize::MAX);
    }
    let recovered = last_kill.elapsed();
    let mut confirmed = 0;
    for (shopper, acknowledged) in shoppers.iter().zip(&acknowledged) {
        let counts = [
            count(shopper, "confirmed").await.expect("the orders"),
            count(shopper, "rejected").await.expect("the orders"),
        ];
        assert!(
            counts.iter().sum::<usize>() >= *acknowledged,
            "an acknowledged order is lost: {counts:?} of {acknowledged}"
        );
        confirmed += counts[0];
    }
    let all: usize = acknowledged.iter().sum();
    println!("{all} orders, {confirmed} confirmed, settled {recovered:?} after the last kill");
    assert!(all >= 20, "only {all} orders were accepted");
    assert!(
        confirmed * 100 >= all * 95,
        "only {confirmed} of {all} payable orders were confirmed"
    );
    stack.audit(Duration::from_mins(1));
}
