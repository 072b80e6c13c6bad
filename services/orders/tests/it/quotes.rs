//! Inventory away: no order, a fast answer, and nothing lost.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use crate::support::{body, nowhere, shop_with_inventory_at};

#[tokio::test]
async fn without_inventory_an_order_is_refused_for_now() {
    let shop = shop_with_inventory_at(&nowhere().await).await;
    for _ in 0..6 {
        let answer = shop.post("/v1/orders", &body(&[("TEA-1", 1)])).await;
        assert!(!answer.header("retry-after").is_empty());
        let _ = answer.problem(503);
    }
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(shop.pool())
        .await
        .unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn an_inventory_that_hangs_is_given_two_seconds_and_then_left_alone() {
    // It accepts connections and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shop = shop_with_inventory_at(&format!("http://{}", listener.local_addr().unwrap())).await;
    let request = body(&[("TEA-1", 1)]);
    let started = Instant::now();
    let answers = (0..5).map(|_| shop.post("/v1/orders", &request));
    for answer in futures::future::join_all(answers).await {
        let _ = answer.problem(503);
    }
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    let started = Instant::now();
    let _ = shop.post("/v1/orders", &request).await.problem(503);
    assert!(
        started.elapsed() < Duration::from_millis(900),
        "the breaker is open: {:?}",
        started.elapsed()
    );
}
