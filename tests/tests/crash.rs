//! Tests that orders settle and the audit passes after a service is killed during a checkout and restarted. The tests run
//! one after another, because they share the system.

use std::time::Duration;

use e2e::{Client, Stack};
use tokio::sync::Mutex;

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Kills and restarts `service` while several checkouts are running, two of them delayed by the slow provider.
async fn survives_a_kill_of(service: &str) {
    let _guard = ONE_AT_A_TIME.lock().await;
    let stack = Stack::running();
    let gateway = &stack.status.gateway;
    let (admin, shopper) = tokio::join!(Client::admin(gateway), Client::shopper(gateway));
    let sku = admin.product(20).await;
    let mut orders = vec![];
    for method in [
        "pm_card_slow",
        "pm_card_ok",
        "pm_card_capture_declined",
        "pm_card_slow",
    ] {
        orders.push((method, shopper.order(&sku, 2, method).await));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    stack.kill(service);
    tokio::time::sleep(Duration::from_secs(2)).await;
    stack.start(service);

    let mut sold = 0;
    for (method, order) in &orders {
        let order = shopper.settled_within(order, Duration::from_mins(2)).await;
        let expected = if *method == "pm_card_capture_declined" {
            "rejected"
        } else {
            "confirmed"
        };
        assert_eq!(
            order["status"], expected,
            "{method} with {service} killed: {order:#}"
        );
        sold += if expected == "confirmed" { 2 } else { 0 };
    }
    let remaining = admin.stock(&sku).await;
    assert_eq!(
        (remaining["available"].as_i64(), remaining["held"].as_i64()),
        (Some(20 - sold), Some(0)),
        "{remaining:#}"
    );
    stack.audit(Duration::from_mins(1));
}

#[tokio::test]
async fn a_killed_orders_service_finishes_its_checkouts() {
    survives_a_kill_of("orders").await;
}

#[tokio::test]
async fn a_killed_inventory_service_finishes_its_checkouts() {
    survives_a_kill_of("inventory").await;
}

#[tokio::test]
async fn a_killed_payments_service_finishes_its_checkouts() {
    survives_a_kill_of("payments").await;
}
