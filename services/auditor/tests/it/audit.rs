//! Which violations an audit reports, and which it ignores because an order is in progress.

use std::{collections::BTreeMap, time::Duration};

use auditor::audit::{self, Report};

use crate::{
    corruptions::corruptions,
    support::{ORDER, Shop, execute, kafka, shop},
};

fn violated(report: &Report) -> BTreeMap<&'static str, usize> {
    let violated = report
        .invariants
        .iter()
        .filter(|invariant| invariant.violated > 0);
    violated
        .map(|invariant| (invariant.name, invariant.violated))
        .collect()
}

#[tokio::test]
async fn each_corruption_violates_exactly_its_invariant() {
    let (shop, (brokers, namespace)) = tokio::join!(shop(), kafka());
    let databases = shop.databases_with_kafka(&brokers, &namespace).await;
    let report = audit::now(&databases).await.unwrap();
    assert!(report.clean, "{report}");
    let mut expected = BTreeMap::new();
    for (name, corruption, text) in corruptions() {
        corruption.apply_to(&shop).await;
        *expected.entry(name).or_insert(0) += 1;
        let report = audit::now(&databases).await.unwrap();
        assert_eq!(violated(&report), expected, "{name}: {report}");
        let invariant = report
            .invariants
            .iter()
            .find(|invariant| invariant.name == name)
            .unwrap();
        assert!(
            invariant
                .violations
                .iter()
                .any(|violation| violation.contains(text)),
            "{text}: {report}"
        );
        assert!(invariant.checked >= invariant.violated && !report.clean);
    }
    let all: Vec<_> = report.invariants.iter().map(|invariant| invariant.name).collect();
    assert!(
        all.iter().all(|name| expected.contains_key(name)),
        "an invariant has no corruption that violates it: {all:?}"
    );
}

#[tokio::test]
async fn an_order_in_progress_is_checked_once_it_is_idle() {
    let shop = shop().await;
    let databases = shop.databases().await;
    // Orders regards the payment as captured, payments does not yet.
    execute(
        &shop.payments.pool,
        "UPDATE payments SET status = 'capturing', captured = 0",
    )
    .await;
    execute(&shop.orders.pool, "UPDATE orders SET updated_at = now()").await;
    let report = audit::now(&databases).await.unwrap();
    assert!(report.clean, "{report}");

    let saga = "UPDATE orders SET updated_at = now() - interval '1 minute';
        UPDATE sagas SET status = 'running', awaiting = gen_random_uuid(), created_at = now()";
    execute(&shop.orders.pool, saga).await;
    let report = audit::now(&databases).await.unwrap();
    assert!(report.clean, "its saga is running: {report}");

    execute(
        &shop.orders.pool,
        "UPDATE sagas SET status = 'completed', awaiting = NULL",
    )
    .await;
    let report = audit::now(&databases).await.unwrap();
    assert_eq!(
        violated(&report),
        BTreeMap::from([("books_agree", 1), ("confirmed_is_captured", 1)]),
        "{report}"
    );
    assert!(report.to_string().contains(ORDER), "{report}");
}

#[tokio::test]
async fn an_audit_of_an_idle_system_checks_orders_that_changed_recently() {
    let shop = shop().await;
    let databases = shop.databases().await;
    let moved = "UPDATE payments SET status = 'voided', captured = 0, updated_at = now()";
    execute(&shop.payments.pool, moved).await;
    let report = audit::when_idle(&databases, Duration::ZERO).await.unwrap();
    assert_eq!(
        violated(&report).get("confirmed_is_captured"),
        Some(&1),
        "{report}"
    );
    let line = format!(
        "FAIL   6 an order is confirmed if and only if its payment is captured (1 checked)\n      order {ORDER} is confirmed, but its payment is voided"
    );
    assert!(report.to_string().contains(&line), "{report}");
    assert!(
        report
            .to_string()
            .starts_with("ok     1 the ledger balances (1 checked)\n"),
        "{report}"
    );
}

#[tokio::test]
async fn a_system_that_does_not_become_idle_is_checked_after_the_timeout() {
    let shop = shop().await;
    let databases = shop.databases().await;
    let running = "UPDATE sagas SET status = 'running', awaiting = gen_random_uuid(), created_at = now()";
    execute(&shop.orders.pool, running).await;
    let waiting = audit::when_idle(&databases, Duration::from_mins(5));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), waiting)
            .await
            .is_err()
    );
    // The reply about the capture is still in a queue.
    let unpaid = "UPDATE payments SET status = 'capturing', captured = 0";
    execute(&shop.payments.pool, unpaid).await;
    let report = audit::when_idle(&databases, Duration::from_millis(300))
        .await
        .unwrap();
    assert!(report.clean, "{report}");
    let note = "orders and sagas are in progress; the next audit will check them\n";
    assert!(report.to_string().ends_with(note), "{report}");
    execute(
        &shop.orders.pool,
        "UPDATE sagas SET status = 'completed', awaiting = NULL",
    )
    .await;
    let report = audit::when_idle(&databases, Duration::ZERO).await.unwrap();
    assert!(
        !report.clean && !report.to_string().contains("in progress"),
        "{report}"
    );
}

/// Records a full refund consistently in every database, so that only the shipment violates an invariant.
async fn refund_everything(shop: &Shop) {
    let payments = format!(
        "BEGIN;
         INSERT INTO refunds (id, payment_id, amount, reason, status, provider_id, updated_at)
         VALUES ('{ORDER}', '{ORDER}', 900, 'broken', 'succeeded', 're_1', now() - interval '10 minutes');
         UPDATE payments SET status = 'refunded', refunded = 900;
         INSERT INTO ledger_transactions (id, payment_id, kind, refund_id)
         VALUES ('01890000-0000-7000-8000-000000000008', '{ORDER}', 'refund', '{ORDER}');
         INSERT INTO ledger_entries (transaction_id, account, amount, currency)
         VALUES ('01890000-0000-7000-8000-000000000008', 'psp_clearing', -900, 'EUR'),
             ('01890000-0000-7000-8000-000000000008', 'sales', 900, 'EUR');
         COMMIT"
    );
    execute(&shop.payments.pool, &payments).await;
    let psp = "UPDATE payment_intents SET amount_refunded = 900;
        INSERT INTO refunds (id, payment_intent, amount, metadata) VALUES ('re_1', 'pi_1', 900, '{}');
        INSERT INTO balance_transactions (kind, payment_intent, refund, amount, currency)
        VALUES ('refund', 'pi_1', 're_1', -900, 'EUR')";
    execute(&shop.psp.pool, psp).await;
}

#[tokio::test]
async fn a_shipment_after_a_full_refund_is_a_violation_and_a_refund_after_a_shipment_is_not() {
    let shop = shop().await;
    let databases = shop.databases().await;
    refund_everything(&shop).await;
    let shipped =
        format!("INSERT INTO shipments (order_id, shipped_at) VALUES ('{ORDER}', now() - interval '1 hour')");
    execute(&shop.orders.pool, &shipped).await;
    let report = audit::now(&databases).await.unwrap();
    assert!(report.clean, "shipped, then refunded: {report}");
    execute(
        &shop.orders.pool,
        "UPDATE shipments SET shipped_at = now() - interval '1 minute'",
    )
    .await;
    let report = audit::now(&databases).await.unwrap();
    assert_eq!(
        violated(&report),
        BTreeMap::from([("shipped_is_kept", 1)]),
        "{report}"
    );
}
