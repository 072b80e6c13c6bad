//! Checks the number of calls of one checkout against the budget in docs/performance.md. Change the budget only in both
//! places, with a reason.

use std::time::{Duration, Instant};

use e2e::{
    Client, Stack,
    counts::{self, Call, Counts},
};

const ORDERS: u8 = 20;

/// Maximum number of calls of a checkout with one line, while one client follows its events. The tested system also publishes
/// domain events and sends notifications. Without these the numbers are 74, 7 and 10.
const BUDGET: [(Call, f64); 3] = [
    (Call::PostgreSql, 120.0),
    (Call::MongoDb, 14.0),
    (Call::Amqp, 10.0),
];

#[tokio::test]
async fn a_checkout_stays_within_its_budget() {
    let stack = Stack::running();
    let (gateway, processes) = (&stack.status.gateway, &stack.status.processes);
    let sku = Client::admin(gateway).await.product(1_000).await;
    let shopper = Client::shopper(gateway).await;
    let buy = async || {
        let order = shopper.order(&sku, 1, "pm_card_ok").await;
        assert_eq!(shopper.settled(&order).await["status"], "confirmed");
        order
    };
    // Warm up: open connections and prepare statements.
    let mut order = serde_json::Value::Null;
    for _ in 0..5 {
        order = buy().await;
    }
    // The idle rate is measured while a client follows an order, because the live views read the database only then.
    let path = format!("/v1/orders/{}/events", order["id"].as_str().unwrap());
    let follower = shopper.request(reqwest::Method::GET, &path).send().await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = counts::idle(processes, Duration::from_secs(10)).await.unwrap();
    let before = Counts::read(processes).await.unwrap();
    let started = Instant::now();
    for _ in 0..ORDERS {
        buy().await;
    }
    // Wait for webhooks, which arrive later, and for the ledger, to which journal entries are copied after a second.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let after = Counts::read(processes).await.unwrap();
    drop(follower);
    let checkout = after.since(&before, started.elapsed(), &idle, ORDERS.into());
    println!("calls of one checkout\n{checkout}");
    for (call, maximum) in BUDGET {
        let calls = checkout.total(call);
        assert!(calls > 0.0, "{call:?} is not counted");
        assert!(calls <= maximum, "{call:?}: {calls:.1} of {maximum}\n{checkout}");
    }
}
