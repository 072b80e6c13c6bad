//! Orchestrators side by side: leases, epochs, and a start with sagas of another version.

use std::time::Duration;

use orders::saga::{
    overdue::Backlog,
    store::{self, Lease},
};
use tokio::time::timeout;

use crate::support::shop;

#[tokio::test]
async fn a_leased_saga_is_left_to_the_one_that_leased_it() {
    let shop = shop().await;
    let order = shop.order().await;
    shop.set(order.into(), "next_at = now()").await;
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
async fn orchestrators_that_look_at_the_same_time_lease_different_sagas() {
    let shop = shop().await;
    for _ in 0..4 {
        let order = shop.order().await;
        shop.set(order.into(), "next_at = now()").await;
    }
    // The first is in the middle of it: nothing is committed.
    let mut first = shop.pool().begin().await.unwrap();
    let leased = store::lease_due(&mut first, 2).await.unwrap();
    let others = timeout(Duration::from_secs(5), shop.orchestrator.lease()).await;
    let others = others.expect("it waits for the first").unwrap();
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
async fn an_orchestrator_stopped_past_its_lease_changes_no_row() {
    let shop = shop().await;
    let order = shop.order().await;
    shop.set(order.into(), "next_at = now()").await;
    let leases = shop.orchestrator.lease().await.unwrap();
    // It stops; its lease runs out, and another takes over.
    shop.set(order.into(), "lease_until = now() - interval '1 ms'")
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
        "it comes back too late"
    );
    assert_eq!((shop.saga(order).await, shop.sent().await), before);
}

#[tokio::test]
async fn a_reply_between_lease_and_wake_wins() {
    let shop = shop().await;
    let order = shop.order().await;
    shop.set(order.into(), "next_at = now()").await;
    let leases = shop.orchestrator.lease().await.unwrap();
    shop.done(order.into(), "reserve_stock", "do").await;
    assert!(
        !shop
            .orchestrator
            .wake(leases[0], &Backlog::default())
            .await
            .unwrap()
    );
    assert_eq!(
        shop.sent().await,
        ["inventory.reserve_stock.v1", "payments.authorize_payment.v1"]
    );
}

#[tokio::test]
async fn starting_is_refused_with_live_sagas_that_the_code_does_not_know() {
    let shop = shop().await;
    let order = shop.order().await;
    let mut conn = shop.pool().acquire().await.unwrap();
    store::check_known(&mut conn).await.unwrap();
    shop.set(order.into(), "step_name = 'wrap_gift'").await;
    let error = store::check_known(&mut conn).await.unwrap_err().to_string();
    assert!(
        error.contains(&order.to_string()) && error.contains("wrap_gift of checkout"),
        "{error}"
    );
    shop.set(order.into(), "status = 'completed', awaiting = NULL")
        .await;
    store::check_known(&mut conn).await.unwrap();
}
