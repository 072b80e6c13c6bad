//! The audit through HTTP: for whom, how often, and what becomes of it when a database is away.

use auditor::openapi::Document;
use contracts::UserId;
use futures::future::join_all;
use serde_json::{Value, json};
use utoipa::OpenApi as _;

use crate::support::{execute, nowhere, shop};

const ROUTES: [&str; 2] = ["/v1/admin/audit", "/v1/admin/outboxes"];

#[tokio::test]
async fn an_operator_sees_that_all_is_well() {
    let report = shop().await.auditor().await.see("/v1/admin/audit").await;
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
async fn an_order_confirmed_without_a_capture_is_told_and_counted() {
    let shop = shop().await;
    execute(
        &shop.payments.pool,
        "UPDATE payments SET status = 'voided', captured = 0, updated_at = now() - interval '1 hour'",
    )
    .await;
    let auditor = shop.auditor().await;
    let report = auditor.see("/v1/admin/audit").await;
    assert_eq!(report["clean"], json!(false), "{report:#}");
    let broken = report["invariants"].as_array().unwrap().iter();
    let broken = broken
        .clone()
        .find(|one| one["name"] == "confirmed_is_captured")
        .unwrap();
    assert_eq!((&broken["checked"], &broken["violated"]), (&json!(1), &json!(1)));
    assert!(
        broken["violations"][0]
            .as_str()
            .unwrap()
            .contains("is confirmed, its payment")
    );
    assert_eq!(auditor.app.violations.of("confirmed_is_captured"), 1);
    assert_eq!(auditor.app.violations.of("ledger_balances"), 0);
}

#[tokio::test]
async fn many_who_ask_at_once_are_given_one_audit() {
    let shop = shop().await;
    let auditor = shop.auditor().await;
    let reports = join_all((0..8).map(|_| auditor.see("/v1/admin/audit"))).await;
    assert!(reports.iter().all(|report| report == &reports[0]), "{reports:#?}");
}

#[tokio::test]
async fn what_waits_to_be_sent_is_counted_with_its_age() {
    let shop = shop().await;
    let waiting =
        "INSERT INTO outbox (message_id, aggregate_id, kind, queue, correlation_id, body, created_at)
        SELECT gen_random_uuid(), gen_random_uuid(), 'k', 'q', gen_random_uuid(), '{}', now() - age
        FROM unnest(ARRAY['90 seconds', '1 second']::interval[]) age";
    execute(&shop.payments.pool, waiting).await;
    let outboxes = shop.auditor().await.see("/v1/admin/outboxes").await;
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
async fn only_operators_may_look() {
    let shop = shop().await;
    let auditor = shop.auditor().await;
    let shopper = auditor.issuer.customer(UserId::generate());
    for route in ROUTES {
        assert_eq!(auditor.get(route, None).await.status(), 401, "{route}");
        assert_eq!(
            auditor.get(route, Some("not.a.token")).await.status(),
            401,
            "{route}"
        );
        assert_eq!(auditor.get(route, Some(&shopper)).await.status(), 403, "{route}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_a_503_and_the_next_audit_may_do() {
    let shop = shop().await;
    let nowhere = nowhere().await;
    let mut no_orders = shop.config();
    no_orders.orders_database_url = format!("postgres://x:x@{nowhere}/orders").into();
    let mut no_inventory = shop.config();
    no_inventory.mongodb_url = format!("mongodb://{nowhere}/inventory?directConnection=true").into();
    for (config, routes) in [(no_orders, &ROUTES[..]), (no_inventory, &ROUTES[..1])] {
        let auditor = shop.auditor_of(&config).await;
        for route in routes {
            let answer = auditor.get(route, Some(&auditor.issuer.admin())).await;
            assert_eq!(answer.status(), 503, "{route}");
            assert!(answer.headers().contains_key("retry-after"));
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            let problem: Value = answer.json().await.unwrap();
            assert!(!problem.to_string().contains(&nowhere), "{problem:#}");
        }
    }
}

#[tokio::test]
async fn the_document_is_served_and_as_reviewed() {
    let served: Value = shop()
        .await
        .auditor()
        .await
        .get("/openapi.json", None)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(served, serde_json::to_value(Document::openapi()).unwrap());
    insta::assert_json_snapshot!(served);
}
