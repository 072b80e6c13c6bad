//! The audit over HTTP: authorization, sharing of results, and responses while a database is unavailable.

use contracts::UserId;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{closed_address, execute, shop};

const ROUTES: [&str; 2] = ["/v1/admin/audit", "/v1/admin/outboxes"];

#[tokio::test]
async fn an_administrator_gets_a_clean_report() {
    let report = shop().await.auditor().await.get_as_admin("/v1/admin/audit").await;
    assert_eq!(report["clean"], json!(true), "{report:#}");
    assert!(
        report["checked_at"].is_string() && report["duration_ms"].is_u64(),
        "{report:#}"
    );
    let ledger = json!({"name": "ledger_balances", "title": "the ledger balances", "number": 1, "checked": 1,
        "violated": 0, "violations": []});
    assert_eq!(report["invariants"][0], ledger);
}

#[tokio::test]
async fn an_order_confirmed_without_a_capture_is_reported_and_counted() {
    let shop = shop().await;
    execute(
        &shop.payments.pool,
        "UPDATE payments SET status = 'voided', captured = 0, updated_at = now() - interval '1 hour'",
    )
    .await;
    let auditor = shop.auditor().await;
    let report = auditor.get_as_admin("/v1/admin/audit").await;
    assert_eq!(report["clean"], json!(false), "{report:#}");
    let broken = report["invariants"].as_array().unwrap().iter();
    let broken = broken
        .clone()
        .find(|invariant| invariant["name"] == "confirmed_is_captured")
        .unwrap();
    assert_eq!((&broken["checked"], &broken["violated"]), (&json!(1), &json!(1)));
    assert!(
        broken["violations"][0]
            .as_str()
            .unwrap()
            .contains("is confirmed, but its payment is voided")
    );
    assert_eq!(auditor.app.violations.count("confirmed_is_captured"), 1);
    assert_eq!(auditor.app.violations.count("ledger_balances"), 0);
}

#[tokio::test]
async fn concurrent_requests_share_one_audit() {
    let shop = shop().await;
    let auditor = shop.auditor().await;
    let reports = join_all((0..8).map(|_| auditor.get_as_admin("/v1/admin/audit"))).await;
    assert!(reports.iter().all(|report| report == &reports[0]), "{reports:#?}");
}

#[tokio::test]
async fn waiting_messages_are_counted_with_the_age_of_the_oldest() {
    let shop = shop().await;
    let waiting =
        "INSERT INTO outbox (message_id, aggregate_id, kind, queue, correlation_id, body, created_at)
        SELECT gen_random_uuid(), gen_random_uuid(), 'k', 'q', gen_random_uuid(), '{}', now() - age
        FROM unnest(ARRAY['90 seconds', '1 second']::interval[]) age";
    execute(&shop.payments.pool, waiting).await;
    let outboxes = shop.auditor().await.get_as_admin("/v1/admin/outboxes").await;
    assert_eq!(
        outboxes["items"][0],
        json!({"service": "orders", "pending": 0, "oldest_age_seconds": 0.0})
    );
    let payments = &outboxes["items"][1];
    assert_eq!(
        (&payments["service"], &payments["pending"]),
        (&json!("payments"), &json!(2))
    );
    let age = payments["oldest_age_seconds"].as_f64().unwrap();
    assert!((90.0..120.0).contains(&age), "{age}");
}

#[tokio::test]
async fn only_administrators_are_authorized() {
    let shop = shop().await;
    let auditor = shop.auditor().await;
    let customer = auditor.issuer.customer(UserId::generate());
    for route in ROUTES {
        assert_eq!(auditor.get(route, None).await.status(), 401, "{route}");
        assert_eq!(
            auditor.get(route, Some("not.a.token")).await.status(),
            401,
            "{route}"
        );
        assert_eq!(auditor.get(route, Some(&customer)).await.status(), 403, "{route}");
    }
}

#[tokio::test]
async fn an_unavailable_database_leads_to_503_with_retry_after() {
    let shop = shop().await;
    let closed = closed_address().await;
    let mut no_orders = shop.config();
    no_orders.orders_database_url = format!("postgres://x:x@{closed}/orders").into();
    let mut no_inventory = shop.config();
    no_inventory.mongodb_url = format!("mongodb://{closed}/inventory?directConnection=true").into();
    for (config, routes) in [(no_orders, &ROUTES[..]), (no_inventory, &ROUTES[..1])] {
        let auditor = shop.auditor_of(&config).await;
        for route in routes {
            let response = auditor.get(route, Some(&auditor.issuer.admin())).await;
            assert_eq!(response.status(), 503, "{route}");
            assert!(response.headers().contains_key("retry-after"));
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            let problem: Value = response.json().await.unwrap();
            assert!(!problem.to_string().contains(&closed), "{problem:#}");
        }
    }
}
