//! Saga commands in the normal order, repeated, and many at the same time.

use contracts::{OrderId, ReturnId};
use futures::future::join_all;
use inventory::Error;

use crate::support::{done, reason, shelf};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_orders_for_ten_units_hold_exactly_ten() {
    let shelf = shelf(&[("LAST", 10)]).await;
    let outcomes = join_all((0..100).map(|_| shelf.reserve(OrderId::generate(), &[("LAST", 1)]))).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == done()).count(), 10);
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| reason(outcome) == "out_of_stock")
            .count(),
        90
    );
    assert_eq!(shelf.levels("LAST").await, (10, 0, 10, 0));
}

#[tokio::test]
async fn an_order_that_cannot_be_held_completely_is_not_held_at_all() {
    let shelf = shelf(&[("A", 5), ("B", 1), ("C", 5)]).await;
    let short = shelf
        .reserve(OrderId::generate(), &[("C", 1), ("B", 2), ("A", 1)])
        .await;
    assert_eq!(reason(&short), "out_of_stock");
    let unknown = shelf.reserve(OrderId::generate(), &[("A", 1), ("NOPE", 1)]).await;
    assert_eq!(reason(&unknown), "unknown_sku");
    for (sku, units) in [("A", 5), ("B", 1), ("C", 5)] {
        assert_eq!(shelf.levels(sku).await, (units, units, 0, 0), "{sku}");
    }
}

#[tokio::test]
async fn a_checkout_removes_units_and_a_return_adds_them() {
    let shelf = shelf(&[("A", 5), ("B", 3)]).await;
    let order = OrderId::generate();
    let wanted = [("A", 2), ("B", 3)];
    assert_eq!(shelf.reserve(order, &wanted).await, done());
    assert_eq!(shelf.levels("A").await, (5, 3, 2, 0));
    assert_eq!(shelf.pin(order).await, done());
    assert_eq!(shelf.commit(order).await, done());
    assert_eq!(shelf.levels("A").await, (3, 3, 0, 2));
    assert_eq!(shelf.levels("B").await, (0, 0, 0, 3));
    shelf.sweep().await;
    assert_eq!(shelf.entered(order, "commit").await, [2, 3]);

    assert_eq!(
        shelf.restock(order, ReturnId::generate(), &[("A", 1)]).await,
        done()
    );
    assert_eq!(shelf.levels("A").await, (4, 4, 0, 2));
    shelf.sweep().await;
    assert_eq!(shelf.entered(order, "restock").await, [1]);
    let unknown = shelf.restock(order, ReturnId::generate(), &[("NOPE", 1)]).await;
    assert_eq!(reason(&unknown), "unknown_sku");
}

#[tokio::test]
async fn every_command_takes_effect_once() {
    let shelf = shelf(&[("A", 5)]).await;
    let (order, back) = (OrderId::generate(), ReturnId::generate());
    for _ in 0..2 {
        assert_eq!(shelf.reserve(order, &[("A", 2)]).await, done());
    }
    assert_eq!(shelf.levels("A").await, (5, 3, 2, 0));
    for _ in 0..2 {
        assert_eq!(shelf.pin(order).await, done());
    }
    for _ in 0..2 {
        assert_eq!(shelf.commit(order).await, done());
    }
    assert_eq!(shelf.levels("A").await, (3, 3, 0, 2));
    for _ in 0..2 {
        assert_eq!(shelf.restock(order, back, &[("A", 2)]).await, done());
    }
    // The entry has moved from the stock's journal to the ledger, and the return is still recognized.
    shelf.sweep().await;
    assert_eq!(shelf.restock(order, back, &[("A", 2)]).await, done());
    assert_eq!(shelf.levels("A").await, (5, 5, 0, 2));
}

#[tokio::test]
async fn a_released_order_has_no_holds_and_stays_closed() {
    let shelf = shelf(&[("A", 5), ("B", 5)]).await;
    let order = OrderId::generate();
    assert_eq!(shelf.reserve(order, &[("A", 2), ("B", 1)]).await, done());
    assert_eq!(shelf.pin(order).await, done());
    for _ in 0..2 {
        assert_eq!(shelf.release(order).await, done());
    }
    for outcome in [
        shelf.reserve(order, &[("A", 2), ("B", 1)]).await,
        shelf.pin(order).await,
        shelf.commit(order).await,
    ] {
        assert_eq!(reason(&outcome), "closed");
    }
    assert_eq!(shelf.unpin(order).await, done());
    for sku in ["A", "B"] {
        assert_eq!(shelf.levels(sku).await, (5, 5, 0, 0), "{sku}");
    }
}

#[tokio::test]
async fn a_release_before_its_reservation_leaves_a_tombstone() {
    let shelf = shelf(&[("A", 5)]).await;
    let order = OrderId::generate();
    assert_eq!(shelf.release(order).await, done());
    assert_eq!(reason(&shelf.reserve(order, &[("A", 2)]).await), "closed");
    assert_eq!(shelf.levels("A").await, (5, 5, 0, 0));
}

#[tokio::test]
async fn a_refusal_is_final_even_if_stock_becomes_available() {
    let shelf = shelf(&[("A", 1)]).await;
    let (first, second) = (OrderId::generate(), OrderId::generate());
    assert_eq!(shelf.reserve(first, &[("A", 1)]).await, done());
    let refused = shelf.reserve(second, &[("A", 1)]).await;
    assert_eq!(reason(&refused), "out_of_stock");
    assert_eq!(shelf.release(first).await, done());
    assert_eq!(shelf.reserve(second, &[("A", 1)]).await, refused);
    assert_eq!(shelf.levels("A").await, (1, 1, 0, 0));
}

#[tokio::test]
async fn a_contradictory_reservation_is_malformed() {
    let shelf = shelf(&[("A", 5)]).await;
    let order = OrderId::generate();
    assert_eq!(shelf.reserve(order, &[("A", 2)]).await, done());
    for wanted in [&[("A", 3)][..], &[("A", 1), ("A", 1)], &[]] {
        let response = shelf.try_reserve(order, wanted).await;
        assert!(
            matches!(response, Err(Error::Malformed(_))),
            "{wanted:?}: {response:?}"
        );
    }
    assert_eq!(shelf.levels("A").await, (5, 3, 2, 0));
}
