//! Expiry of holds by the sweeper.

use contracts::{
    OrderId,
    saga::{ReserveStock, ReserveStockV1},
};
use inventory::holds::perform;
use messaging::HandleError;

use crate::{
    commands::incoming,
    support::{done, items, reason, shelf},
};

#[tokio::test]
async fn a_hold_expires_once_and_its_units_become_available() {
    let shelf = shelf(&[("A", 5)]).await;
    let (overdue, active) = (OrderId::generate(), OrderId::generate());
    assert_eq!(shelf.reserve(overdue, &[("A", 2)]).await, done());
    assert_eq!(shelf.reserve(active, &[("A", 1)]).await, done());
    assert_eq!(
        shelf.sweep().await.expired,
        0,
        "nothing is overdue for 15 minutes"
    );
    shelf.make_overdue(overdue, "A").await;
    // Two replicas sweep at the same time.
    let (one, two) = tokio::join!(shelf.sweep(), shelf.sweep());
    assert_eq!(one.expired + two.expired, 1);
    assert_eq!(shelf.levels("A").await, (5, 4, 1, 0));
    assert_eq!(reason(&shelf.pin(overdue).await), "hold_expired");
    assert_eq!(reason(&shelf.commit(overdue).await), "hold_expired");
    assert_eq!(shelf.pin(active).await, done());
}

#[tokio::test]
async fn a_hold_lasts_as_long_as_its_command_says_on_the_databases_clock() {
    let shelf = shelf(&[("A", 5)]).await;
    for (hold_seconds, is_valid) in [(0, false), (60, true), (86_400, true), (86_401, false)] {
        let order_id = OrderId::generate();
        let command = ReserveStock {
            order_id,
            items: items(&[("A", 1)]),
            hold_seconds,
        };
        let before = shelf.now().await.unwrap().timestamp_millis();
        let result = perform(&shelf.db, &incoming(&command.into())).await;
        let after = shelf.now().await.unwrap().timestamp_millis();
        if is_valid {
            assert_eq!(result.unwrap(), done());
            let expiry = shelf.expiry(order_id, "A").await - i64::from(hold_seconds) * 1_000;
            assert!((before..=after).contains(&expiry), "{before} {expiry} {after}");
        } else {
            assert!(matches!(result, Err(HandleError::Poison(_))), "{result:?}");
        }
    }
}

#[tokio::test]
async fn a_command_of_the_previous_version_holds_for_15_minutes_and_a_resend_in_the_current_one_changes_nothing()
 {
    let shelf = shelf(&[("A", 5)]).await;
    let order_id = OrderId::generate();
    let previous = ReserveStockV1 {
        order_id,
        items: items(&[("A", 2)]),
    };
    let current = ReserveStock {
        hold_seconds: 60,
        ..previous.clone().into()
    };
    let before = shelf.now().await.unwrap().timestamp_millis();
    let outcome = perform(&shelf.db, &incoming(&previous.into())).await.unwrap();
    assert_eq!(outcome, done());
    // An orders service of the current version sends the command again, before it has received the reply.
    let outcome = perform(&shelf.db, &incoming(&current.into())).await.unwrap();
    assert_eq!(outcome, done());
    assert_eq!(shelf.levels("A").await, (5, 3, 2, 0));
    let expiry = shelf.expiry(order_id, "A").await - 900_000;
    let after = shelf.now().await.unwrap().timestamp_millis();
    assert!((before..=after).contains(&expiry), "{before} {expiry} {after}");
}

#[tokio::test]
async fn a_pinned_hold_never_expires_and_an_unpinned_one_does() {
    let shelf = shelf(&[("A", 5)]).await;
    let order = OrderId::generate();
    assert_eq!(shelf.reserve(order, &[("A", 2)]).await, done());
    shelf.make_overdue(order, "A").await;
    assert_eq!(shelf.pin(order).await, done());
    assert_eq!(shelf.sweep().await.expired, 0);
    assert_eq!(shelf.document("A").await.holds[0].expires_at, None);
    assert_eq!(shelf.unpin(order).await, done());
    assert_eq!(shelf.sweep().await.expired, 0, "it lasts 15 minutes again");
    shelf.make_overdue(order, "A").await;
    assert_eq!(shelf.sweep().await.expired, 1);
    assert_eq!(shelf.levels("A").await, (5, 5, 0, 0));
}

#[tokio::test]
async fn an_order_with_an_expired_hold_cannot_be_pinned() {
    let shelf = shelf(&[("A", 5), ("B", 5)]).await;
    let order = OrderId::generate();
    assert_eq!(shelf.reserve(order, &[("A", 2), ("B", 2)]).await, done());
    shelf.make_overdue(order, "A").await;
    assert_eq!(shelf.sweep().await.expired, 1);
    assert_eq!(reason(&shelf.pin(order).await), "hold_expired");
    shelf.make_overdue(order, "B").await;
    assert_eq!(shelf.sweep().await.expired, 1, "the other hold was not pinned");
    assert_eq!(shelf.levels("B").await, (5, 5, 0, 0));
}
