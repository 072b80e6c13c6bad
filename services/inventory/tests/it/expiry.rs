//! Holds that nobody came back for.

use contracts::OrderId;

use crate::support::{done, reason, shelf};

#[tokio::test]
async fn a_hold_expires_once_and_the_units_are_free_again() {
    let shelf = shelf(&[("A", 5)]).await;
    let (late, punctual) = (OrderId::generate(), OrderId::generate());
    assert_eq!(shelf.reserve(late, &[("A", 2)]).await, done());
    assert_eq!(shelf.reserve(punctual, &[("A", 1)]).await, done());
    assert_eq!(
        shelf.sweep().await.expired,
        0,
        "nothing is overdue for 15 minutes"
    );
    shelf.let_time_pass(late, "A").await;
    // Two replicas at the same time.
    let (one, two) = tokio::join!(shelf.sweep(), shelf.sweep());
    assert_eq!(one.expired + two.expired, 1);
    assert_eq!(shelf.levels("A").await, (5, 4, 1, 0));
    assert_eq!(reason(&shelf.pin(late).await), "hold_expired");
    assert_eq!(reason(&shelf.commit(late).await), "hold_expired");
    assert_eq!(shelf.pin(punctual).await, done());
}

#[tokio::test]
async fn a_hold_lasts_15_minutes_on_the_databases_clock() {
    let shelf = shelf(&[("A", 5)]).await;
    let before = shelf.now().await.unwrap().timestamp_millis();
    assert_eq!(shelf.reserve(OrderId::generate(), &[("A", 2)]).await, done());
    let after = shelf.now().await.unwrap().timestamp_millis();
    let expires_at = shelf.document("A").await.holds[0]
        .expires_at
        .unwrap()
        .timestamp_millis();
    assert!(
        (before..=after).contains(&(expires_at - 900_000)),
        "{before} {expires_at} {after}"
    );
}

#[tokio::test]
async fn a_pinned_hold_never_expires_and_an_unpinned_one_does() {
    let shelf = shelf(&[("A", 5)]).await;
    let order = OrderId::generate();
    assert_eq!(shelf.reserve(order, &[("A", 2)]).await, done());
    shelf.let_time_pass(order, "A").await;
    assert_eq!(shelf.pin(order).await, done());
    assert_eq!(shelf.sweep().await.expired, 0);
    assert_eq!(shelf.document("A").await.holds[0].expires_at, None);
    assert_eq!(shelf.unpin(order).await, done());
    assert_eq!(shelf.sweep().await.expired, 0, "it has 15 minutes again");
    shelf.let_time_pass(order, "A").await;
    assert_eq!(shelf.sweep().await.expired, 1);
    assert_eq!(shelf.levels("A").await, (5, 5, 0, 0));
}

#[tokio::test]
async fn an_order_of_which_a_part_expired_cannot_be_pinned() {
    let shelf = shelf(&[("A", 5), ("B", 5)]).await;
    let order = OrderId::generate();
    assert_eq!(shelf.reserve(order, &[("A", 2), ("B", 2)]).await, done());
    shelf.let_time_pass(order, "A").await;
    assert_eq!(shelf.sweep().await.expired, 1);
    assert_eq!(reason(&shelf.pin(order).await), "hold_expired");
    shelf.let_time_pass(order, "B").await;
    assert_eq!(shelf.sweep().await.expired, 1, "the rest was not pinned");
    assert_eq!(shelf.levels("B").await, (5, 5, 0, 0));
}
