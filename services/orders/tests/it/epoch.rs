//! Concurrent orchestrators: leases, epochs, and a start with sagas of another version.

use std::time::Duration;

use orders::saga::{
    Cause, apply,
    overdue::Backlog,
    plan::plan,
    state::{self, Lease, SagaState},
};
use testkit::eventually;
use tokio::time::timeout;

use crate::{
    participants::TIMEOUT,
    support::{Shop, shop},
};

#[tokio::test]
async fn a_leased_saga_is_moved_only_by_the_orchestrator_that_leased_it() {
    let shop = shop().await;
    let order = shop.place_order().await;
    shop.update_saga(order.into(), "next_at = now()").await;
    let other = shop.orchestrator.clone();
    let leases = shop.orchestrator.lease().await.unwrap();
    assert_eq!(leases.len(), 1);
    assert_eq!(other.tick().await.unwrap(), 0);
    assert!(
        shop.orchestrator
            .wake(leases[0], &Backlog::default())
            .await
            .unwrap()
    );
    assert_eq!(shop.sent().await.len(), 2);
}

#[tokio::test]
async fn orchestrators_that_poll_at_the_same_time_lease_different_sagas() {
    let shop = shop().await;
    for _ in 0..4 {
        let order = shop.place_order().await;
        shop.update_saga(order.into(), "next_at = now()").await;
    }
    // The first orchestrator has not committed its leases.
    let mut first = shop.pool().begin().await.unwrap();
    let leased = state::lease_due(&mut first, 2).await.unwrap();
    let others = timeout(Duration::from_secs(5), shop.orchestrator.lease()).await;
    let others = others.expect("the second does not wait for the first").unwrap();
    first.commit().await.unwrap();
    let ids = |leases: &[Lease]| leases.iter().map(|lease| lease.id).collect::<Vec<_>>();
    let mut all = [ids(&leased), ids(&others)].concat();
    assert_eq!((leased.len(), others.len()), (2, 2));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4, "none is leased twice");
    assert!(shop.orchestrator.lease().await.unwrap().is_empty());
    for lease in leased.iter().chain(&others) {
        assert!(shop.orchestrator.wake(*lease, &Backlog::default()).await.unwrap());
    }
}

#[tokio::test]
async fn an_orchestrator_whose_lease_has_expired_changes_no_row() {
    let shop = shop().await;
    let order = shop.place_order().await;
    shop.update_saga(order.into(), "next_at = now()").await;
    let leases = shop.orchestrator.lease().await.unwrap();
    // The orchestrator pauses, its lease expires, and another one takes over.
    shop.update_saga(order.into(), "lease_until = now() - interval '1 ms'")
        .await;
    let other = shop.orchestrator.clone();
    assert_eq!(other.tick().await.unwrap(), 1);
    let before = (shop.saga(order).await, shop.sent().await);
    assert!(
        !shop
            .orchestrator
            .wake(leases[0], &Backlog::default())
            .await
            .unwrap(),
        "its lease is lost"
    );
    assert_eq!((shop.saga(order).await, shop.sent().await), before);
}

#[tokio::test]
async fn a_reply_between_lease_and_wake_takes_precedence() {
    let shop = shop().await;
    let order = shop.place_order().await;
    shop.update_saga(order.into(), "next_at = now()").await;
    let leases = shop.orchestrator.lease().await.unwrap();
    shop.reply_done(order.into(), "reserve_stock", "do").await;
    assert!(
        !shop
            .orchestrator
            .wake(leases[0], &Backlog::default())
            .await
            .unwrap()
    );
    assert_eq!(
        shop.sent().await,
        ["inventory.reserve_stock.v2", "payments.authorize_payment.v1"]
    );
}

#[tokio::test]
async fn startup_fails_with_active_sagas_that_this_version_does_not_know() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let mut conn = shop.pool().acquire().await.unwrap();
    state::check_known(&mut conn).await.unwrap();
    shop.update_saga(order.into(), "step_name = 'wrap_gift'").await;
    let error = state::check_known(&mut conn).await.unwrap_err().to_string();
    assert!(
        error.contains(&order.to_string()) && error.contains("wrap_gift of checkout"),
        "{error}"
    );
    shop.update_saga(order.into(), "status = 'completed', awaiting = NULL")
        .await;
    state::check_known(&mut conn).await.unwrap();
}

#[tokio::test]
async fn a_move_is_planned_again_when_its_order_has_changed() {
    let shop = shop().await;
    let order = shop.place_order().await;
    let mut conn = shop.pool().acquire().await.unwrap();
    let state = SagaState::find(&mut conn, order.into()).await.unwrap().unwrap();
    let planned = plan(&state, &Cause::Cancel(None)).unwrap();
    sqlx::query("UPDATE orders SET refunded = 1")
        .execute(&mut *conn)
        .await
        .unwrap();
    let before = (shop.saga(order).await, shop.sent().await);
    let dispatcher = &*shop.app.dispatcher;
    assert!(!apply(&mut conn, dispatcher, &state, &planned).await.unwrap());
    assert_eq!((shop.saga(order).await, shop.sent().await), before);
    // It is not applied either if another transaction changes the order while the move waits for the order's row.
    let state = SagaState::find(&mut conn, order.into()).await.unwrap().unwrap();
    let mut other = shop.pool().begin().await.unwrap();
    sqlx::query("UPDATE orders SET refunded = 2")
        .execute(&mut *other)
        .await
        .unwrap();
    let applied = async { apply(&mut conn, dispatcher, &state, &planned).await.unwrap() };
    let committed = async {
        wait_for_blocked_statement(&shop).await;
        other.commit().await.unwrap();
    };
    assert!(!tokio::join!(applied, committed).0);
    assert_eq!((shop.saga(order).await, shop.sent().await), before);
}

/// Waits until a statement in the shop's database is blocked by a lock.
async fn wait_for_blocked_statement(shop: &Shop) {
    eventually("a statement waits for a lock", TIMEOUT, async || {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(shop.pool())
        .await
        .unwrap();
        (waiting > 0).then_some(())
    })
    .await;
}
