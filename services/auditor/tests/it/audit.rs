//! What the audit finds, and what it leaves alone.

use std::{collections::BTreeMap, time::Duration};

use auditor::audit::{self, Report};

use crate::{
    plants::plants,
    support::{ORDER, Shop, execute, kafka, shop},
};

fn violated(report: &Report) -> BTreeMap<&'static str, usize> {
    let broken = report.invariants.iter().filter(|one| one.violated > 0);
    broken.map(|one| (one.name, one.violated)).collect()
}

#[tokio::test]
async fn each_violation_is_named_and_counted_and_nothing_else() {
    let (shop, (brokers, namespace)) = tokio::join!(shop(), kafka());
    let databases = shop.databases_and(&brokers, &namespace).await;
    let report = audit::now(&databases).await.unwrap();
    assert!(report.clean, "{report}");
    let mut expected = BTreeMap::new();
    for (name, plant, text) in plants() {
        plant.put_into(&shop).await;
        *expected.entry(name).or_insert(0) += 1;
        let report = audit::now(&databases).await.unwrap();
        assert_eq!(violated(&report), expected, "{name}: {report}");
        let line = report.invariants.iter().find(|one| one.name == name).unwrap();
        assert!(
            line.violations.iter().any(|violation| violation.contains(text)),
            "{text}: {report}"
        );
        assert!(line.checked >= line.violated && !report.clean);
    }
    let all: Vec<_> = report.invariants.iter().map(|one| one.name).collect();
    assert!(
        all.iter().all(|name| expected.contains_key(name)),
        "an invariant that nothing has broken: {all:?}"
    );
}

#[tokio::test]
async fn an_order_that_moves_is_judged_once_it_has_come_to_rest() {
    let shop = shop().await;
    let databases = shop.databases().await;
    // Paid as far as orders knows, and payments does not yet.
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
    assert!(report.clean, "its saga runs: {report}");

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
async fn who_waits_for_rest_spares_nothing() {
    let shop = shop().await;
    let databases = shop.databases().await;
    let moved = "UPDATE payments SET status = 'voided', captured = 0, updated_at = now()";
    execute(&shop.payments.pool, moved).await;
    let report = audit::at_rest(&databases, Duration::ZERO).await.unwrap();
    assert_eq!(
        violated(&report).get("confirmed_is_captured"),
        Some(&1),
        "{report}"
    );
    let line = format!(
        "FAIL   6 confirmed if and only if captured; otherwise voided, failed or never asked (1 checked)\n      order {ORDER} is confirmed, its payment"
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
async fn a_system_that_does_not_come_to_rest_is_checked_after_a_while() {
    let shop = shop().await;
    let databases = shop.databases().await;
    let runs = "UPDATE sagas SET status = 'running', awaiting = gen_random_uuid(), created_at = now()";
    execute(&shop.orders.pool, runs).await;
    let waiting = audit::at_rest(&databases, Duration::from_mins(5));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), waiting)
            .await
            .is_err()
    );
    // The reply that the money was taken still waits in a queue.
    let unpaid = "UPDATE payments SET status = 'capturing', captured = 0";
    execute(&shop.payments.pool, unpaid).await;
    let report = audit::at_rest(&databases, Duration::from_millis(300))
        .await
        .unwrap();
    assert!(report.clean, "{report}");
    let told = "orders and sagas are under way; the next audit judges them\n";
    assert!(report.to_string().ends_with(told), "{report}");
    execute(
        &shop.orders.pool,
        "UPDATE sagas SET status = 'completed', awaiting = NULL",
    )
    .await;
    let report = audit::at_rest(&databases, Duration::ZERO).await.unwrap();
    assert!(
        !report.clean && !report.to_string().contains("under way"),
        "{report}"
    );
}

/// A refund of everything, in every book, so that only the shipment is wrong.
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
async fn what_was_refunded_is_not_shipped_and_what_was_shipped_may_be_refunded() {
    let shop = shop().await;
    let databases = shop.databases().await;
    refund_everything(&shop).await;
    let shipped =
        format!("INSERT INTO shipments (order_id, shipped_at) VALUES ('{ORDER}', now() - interval '1 hour')");
    execute(&shop.orders.pool, &shipped).await;
    let report = audit::now(&databases).await.unwrap();
    assert!(report.clean, "shipped, and refunded later: {report}");
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
