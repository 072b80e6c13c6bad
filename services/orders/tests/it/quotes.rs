//! Orders while inventory is unavailable or does not respond: they are refused quickly, and nothing is written.

use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::{
    prices::start_inventory,
    support::{body, shop_with_inventory_at, unused_url},
};

#[tokio::test]
async fn an_order_is_refused_with_503_while_inventory_is_unavailable() {
    let shop = shop_with_inventory_at(&unused_url().await).await;
    for _ in 0..6 {
        let response = shop.post("/v1/orders", &body(&[("TEA-1", 1)])).await;
        assert!(!response.header("retry-after").is_empty());
        let _ = response.problem(503);
    }
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(shop.pool())
        .await
        .unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn a_hanging_inventory_times_out_after_two_seconds_and_then_fails_fast() {
    // It accepts connections and never responds.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shop = shop_with_inventory_at(&format!("http://{}", listener.local_addr().unwrap())).await;
    let request = body(&[("TEA-1", 1)]);
    let started = Instant::now();
    let responses = (0..5).map(|_| shop.post("/v1/orders", &request));
    for response in futures::future::join_all(responses).await {
        let _ = response.problem(503);
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

/// A replica whose machine fails or is cut off closes no connection: what is sent to it gets no answer.
#[tokio::test]
async fn an_order_is_placed_although_the_connected_replica_has_vanished() {
    let (url, outage) = start_vanishing_replica(start_inventory().await).await;
    let shop = shop_with_inventory_at(&url).await;
    let request = body(&[("TEA-1", 1)]);
    let _ = shop.post("/v1/orders", &request).await.expect(202);
    outage.cancel();
    let _ = shop.post("/v1/orders", &request).await.expect(202);
}

/// A proxy in front of `inventory`. When the token is cancelled, the connections that exist stay open and transfer nothing
/// more; new ones work.
async fn start_vanishing_replica(inventory: String) -> (String, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let outage = CancellationToken::new();
    let begins = outage.clone();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(inventory.replace("http://", ""))
                .await
                .unwrap();
            let is_new = begins.is_cancelled();
            let begins = begins.clone();
            tokio::spawn(async move {
                let transfer = tokio::io::copy_bidirectional(&mut client, &mut server);
                if is_new {
                    let _ = transfer.await;
                } else if begins.run_until_cancelled(transfer).await.is_none() {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    (url, outage)
}
