//! What one checkout may cost in calls. The budget is docs/performance.md's: whoever needs more changes both, and says why.

use std::time::{Duration, Instant};

use e2e::{
    Client, Stack,
    counts::{self, Call, Counts},
};

const ORDERS: u8 = 20;

/// The most calls of a checkout of one line that one client follows by its events. The tested system also publishes domain
/// events and notifies of them, which a plain one does not: there it is 74, 7 and 10.
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
    // Connections are opened, and statements prepared.
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
    // Webhooks come late, and journals are copied a second later.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let after = Counts::read(processes).await.unwrap();
    drop(follower);
    let checkout = after.since(&before, started.elapsed(), &idle, ORDERS.into());
    println!("calls of one checkout\n{checkout}");
    for (call, most) in BUDGET {
        let calls = checkout.total(call);
        assert!(calls > 0.0, "{call:?} is not counted");
        assert!(calls <= most, "{call:?}: {calls:.1} of {most}\n{checkout}");
    }
}
