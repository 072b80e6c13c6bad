//! How requests are distributed over the instances of an upstream.

use std::time::Duration;

use crate::fleet::{Edge, Service, edge, services};

/// Sends requests one after the other, with this value of the header `x-cart`.
async fn send(edge: &Edge, count: usize, cart: usize) {
    for _ in 0..count {
        let sent = edge.request("GET", "/x").header("x-cart", cart).send();
        assert_eq!(sent.await.unwrap().status(), 200);
    }
}

/// Sends requests at the same time.
async fn send_together(edge: &Edge, count: usize) {
    let sent = (0..count).map(|_| edge.request("GET", "/x").send());
    for answer in futures::future::join_all(sent).await {
        assert_eq!(answer.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_slow_instance_gets_few_requests() {
    let [fast, slow] = services().await;
    slow.delay(Duration::from_millis(500));
    let edge = edge(&[fast.address, slow.address], "", "");
    for _ in 0..10 {
        send_together(&edge, 10).await;
    }
    assert!(slow.hits() > 0, "its latency must be measured");
    let (fast, slow) = (fast.hits(), slow.hits());
    // A busy machine makes the fast one slow as well at times. Turns would give both as many.
    assert!(2 * fast > 3 * slow, "{fast} and {slow} requests");
}

#[tokio::test]
async fn round_robin_ignores_latency() {
    let [fast, slow] = services().await;
    slow.delay(Duration::from_millis(20));
    let edge = edge(&[fast.address, slow.address], "balance: round_robin", "");
    send(&edge, 20, 0).await;
    assert_eq!((fast.hits(), slow.hits()), (10, 10));
}

#[tokio::test]
async fn least_request_fills_the_instance_with_the_fewest_requests_in_flight() {
    let services: [_; 3] = services().await;
    for one in &services {
        one.delay(Duration::from_secs(1));
    }
    let addresses = services.each_ref().map(|one| one.address);
    let edge = edge(&addresses, "balance: least_request", "");
    send_together(&edge, 30).await;
    for one in &services {
        assert!((8..=12).contains(&one.hits()), "{} of 30 requests", one.hits());
    }
}

#[tokio::test]
async fn a_hash_sends_the_same_value_to_the_same_instance() {
    let by = "balance: {hash: {by: {header: x-cart}}}";
    let services: [_; 3] = services().await;
    let all = edge(&services.each_ref().map(|one| one.address), by, "");
    let counts = || services.each_ref().map(Service::hits);
    let mut used = [0; 3];
    let mut chosen = vec![];
    for cart in 0..30 {
        let before = counts();
        send(&all, 3, cart).await;
        let gained: Vec<_> = (counts().iter().zip(before))
            .map(|(now, before)| now - before)
            .collect();
        let at = gained.iter().position(|count| *count == 3);
        let at = at.expect("one instance gets all three requests");
        used[at] += 1;
        chosen.push(at);
    }
    assert!(
        used.iter().all(|count| *count > 2),
        "all instances are used: {used:?}"
    );
    // Without the last instance, only the values that it had move to others.
    let two = edge(&[services[1].address, services[0].address], by, "");
    for (cart, at) in chosen.into_iter().enumerate().filter(|(_, at)| *at < 2) {
        let before = services[at].hits();
        send(&two, 1, cart).await;
        assert_eq!(services[at].hits(), before + 1, "cart {cart}");
    }
}

#[tokio::test]
async fn an_address_always_gets_the_same_instance() {
    let [one, other] = services().await;
    let edge = edge(
        &[one.address, other.address],
        "balance: {hash: {by: address}}",
        "",
    );
    for number in 0..10 {
        send(&edge, 1, number).await;
    }
    assert_eq!(one.hits().max(other.hits()), 10);
}
