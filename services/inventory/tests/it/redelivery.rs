//! Commands that are delivered concurrently, or redelivered after later commands.

use bson::doc;
use contracts::{OrderId, ReturnId};
use futures::future::join_all;

use crate::support::{done, reason, shelf};

const WANTED: [(&str, i64); 2] = [("A", 1), ("B", 2)];

#[tokio::test]
async fn every_late_duplicate_of_a_finished_checkout_changes_nothing() {
    let shelf = shelf(&[("A", 5), ("B", 5)]).await;
    let order = OrderId::generate();
    assert_eq!(shelf.reserve(order, &WANTED).await, done());
    assert_eq!(shelf.pin(order).await, done());
    assert_eq!(shelf.commit(order).await, done());
    // Before and after the journal entries are moved to the ledger.
    for _ in 0..2 {
        assert_eq!(shelf.reserve(order, &WANTED).await, done());
        assert_eq!(shelf.levels("A").await, (4, 4, 0, 1));
        assert_eq!(shelf.pin(order).await, done());
        assert_eq!(shelf.levels("A").await, (4, 4, 0, 1));
        assert_eq!(shelf.commit(order).await, done());
        assert_eq!(shelf.levels("A").await, (4, 4, 0, 1));
        assert_eq!(shelf.levels("B").await, (3, 3, 0, 2));
        shelf.sweep().await;
    }
    assert_eq!(shelf.entered(order, "commit").await, [1, 2]);
}

#[tokio::test]
async fn a_late_reservation_of_a_committed_order_does_not_close_it_when_stock_is_sold_out() {
    let shelf = shelf(&[("A", 1), ("B", 2)]).await;
    let order = OrderId::generate();
    assert_eq!(shelf.reserve(order, &WANTED).await, done());
    assert_eq!(shelf.commit(order).await, done());
    shelf.sweep().await;
    assert_eq!(shelf.reserve(order, &WANTED).await, done());
    assert_eq!(shelf.commit(order).await, done());
    assert!(shelf.entered(order, "close").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_concurrent_with_its_reservation_leaves_no_holds() {
    let shelf = shelf(&[("A", 30), ("B", 60)]).await;
    let race = |order| {
        let shelf = &shelf;
        async move {
            let (reserved, released, again) = tokio::join!(
                shelf.reserve(order, &WANTED),
                shelf.release(order),
                shelf.reserve(order, &WANTED)
            );
            assert_eq!(released, done());
            for outcome in [reserved, again] {
                assert!(["done", "closed"].contains(&reason(&outcome)), "{outcome:?}");
            }
        }
    };
    join_all((0..30).map(|_| race(OrderId::generate()))).await;
    assert_eq!(shelf.levels("A").await, (30, 30, 0, 0));
    assert_eq!(shelf.levels("B").await, (60, 60, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_commits_and_a_late_reservation_take_effect_once() {
    let shelf = shelf(&[("A", 20), ("B", 40)]).await;
    let race = |order| {
        let shelf = &shelf;
        async move {
            assert_eq!(shelf.reserve(order, &WANTED).await, done());
            assert_eq!(shelf.pin(order).await, done());
            let (one, two, late, _) = tokio::join!(
                shelf.commit(order),
                shelf.commit(order),
                shelf.reserve(order, &WANTED),
                shelf.sweep()
            );
            assert_eq!((one, two, late), (done(), done(), done()));
        }
    };
    join_all((0..10).map(|_| race(OrderId::generate()))).await;
    shelf.sweep().await;
    assert_eq!(shelf.levels("A").await, (10, 10, 0, 10));
    assert_eq!(shelf.levels("B").await, (20, 20, 0, 20));
    let commits = shelf
        .movements
        .count_documents(doc! {"kind": "commit"})
        .await
        .unwrap();
    assert_eq!(commits, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_deliveries_of_a_return_take_effect_once() {
    let shelf = shelf(&[("A", 5)]).await;
    let returns: Vec<_> = (0..4).map(|_| ReturnId::generate()).collect();
    let order = OrderId::generate();
    let deliveries = returns.iter().flat_map(|back| [*back; 4]);
    let shelf_again = &shelf;
    let outcomes = join_all(deliveries.map(|back| async move {
        let shelf = shelf_again;
        let (outcome, _) = tokio::join!(shelf.restock(order, back, &[("A", 1)]), shelf.sweep());
        outcome
    }))
    .await;
    assert!(outcomes.iter().all(|outcome| *outcome == done()));
    assert_eq!(shelf.levels("A").await, (9, 9, 0, 0));
    shelf.sweep().await;
    assert_eq!(shelf.entered(order, "restock").await, [1; 4]);
}

#[tokio::test]
async fn a_crash_between_ledger_and_journal_records_no_entry_twice() {
    let shelf = shelf(&[("A", 5)]).await;
    let order = OrderId::generate();
    shelf.sweep().await;
    assert_eq!(shelf.reserve(order, &[("A", 2)]).await, done());
    assert_eq!(shelf.commit(order).await, done());
    // After the crash, the entry is in the ledger and still in the journal.
    let mut entry = shelf.document("A").await.journal.remove(0);
    entry.sku = Some("A".to_owned());
    shelf.movements.insert_one(&entry).await.unwrap();
    assert_eq!(shelf.sweep().await.entered, 1);
    assert_eq!(shelf.entered(order, "commit").await, [2]);
    assert!(shelf.document("A").await.journal.is_empty());
    assert_eq!(shelf.sweep().await.entered, 0);
}
