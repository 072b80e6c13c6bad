//! Tests bursts of concurrent requests through the public API: all succeed, and no service is reported as unavailable.

use std::time::Duration;

use e2e::{Client, Stack, client};
use futures::future::join_all;
use serde_json::json;

#[tokio::test]
async fn sixty_four_concurrent_orders_are_accepted_and_confirmed() {
    let stack = Stack::running();
    let gateway = &stack.status.gateway;
    let admin = Client::admin(gateway).await;
    let sku = admin.product(64).await;
    let mut buyers = vec![];
    for _ in 0..8 {
        buyers.extend(join_all((0..8).map(|_| Client::shopper(gateway))).await);
    }
    let orders = join_all(buyers.iter().map(async |buyer| {
        let body = client::order_body(&sku, 1, "pm_card_ok");
        buyer.post("/v1/orders", body).await.expect(202).body
    }))
    .await;
    let timeout = Duration::from_mins(3);
    let settled = join_all(
        buyers
            .iter()
            .zip(&orders)
            .map(|(buyer, order)| buyer.settled_within(order, timeout)),
    )
    .await;
    for order in settled {
        assert_eq!(order["status"], "confirmed", "{order:#}");
    }
    assert_eq!(admin.stock(&sku).await["on_hand"], 0);
}

#[tokio::test]
async fn forty_eight_concurrent_stock_adjustments_succeed() {
    let stack = Stack::running();
    let admin = Client::admin(&stack.status.gateway).await;
    let mut skus = vec![];
    for _ in 0..6 {
        skus.extend(join_all((0..8).map(|_| admin.product(0))).await);
    }
    let adjusted = join_all(skus.iter().map(|sku| {
        let path = format!("/v1/products/{sku}/stock-adjustments");
        let admin = &admin;
        async move {
            admin
                .post(&path, json!({"delta": 7, "reason": "a delivery"}))
                .await
        }
    }))
    .await;
    for response in adjusted {
        assert_eq!(response.expect(200).body["available"], 7);
    }
}
