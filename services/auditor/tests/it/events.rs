//! The check that every published domain event is on Kafka and in order.

use std::time::Duration;

use auditor::{
    Databases,
    audit::{self, Invariant},
};
use bson::doc;
use chrono::Utc;
use contracts::events::{Envelope, InventoryEvent, OrderEvent, Trace};
use events::{Brokers, Namespace, Producer, Relay};
use serde_json::json;

use crate::support::{ORDER, Shop, closed_address, execute, kafka, shop};

const PUBLISH_TIMEOUT: Duration = Duration::from_secs(30);

/// The results of an immediate audit and of an audit of an idle system.
async fn audit_events(databases: &Databases) -> [Invariant; 2] {
    let reports = [
        audit::now(databases).await.unwrap(),
        audit::when_idle(databases, Duration::ZERO).await.unwrap(),
    ];
    reports.map(|report| {
        let mut all = report.invariants.into_iter();
        all.find(|invariant| invariant.name == "events_published")
            .unwrap()
    })
}

async fn assert_holds(databases: &Databases, checked: [usize; 2]) {
    let results = audit_events(databases).await;
    for (result, checked) in results.iter().zip(checked) {
        assert_eq!(
            (result.violated, result.checked, result.skipped),
            (0, checked, None),
            "{result:?}"
        );
    }
}

/// Asserts that both audits report these violations.
async fn assert_violated(databases: &Databases, violations: &[&str]) {
    for result in audit_events(databases).await {
        assert_eq!(result.violations, violations, "{result:?}");
    }
}

/// Appends this number of events to the log of the shop's order.
async fn append_events(shop: &Shop, events: usize) {
    for _ in 0..events {
        let event = format!(
            "INSERT INTO order_events (order_id, type, data, created_at)
             VALUES ('{ORDER}', 'order_delivered', '{{}}', clock_timestamp())"
        );
        execute(&shop.orders.pool, &event).await;
    }
}

async fn publish_events(shop: &Shop, (brokers, namespace): &(Brokers, Namespace)) {
    let relay = Relay::new::<OrderEvent>(shop.orders.pool.clone(), brokers, namespace);
    testkit::eventually("the events are published", PUBLISH_TIMEOUT, async || {
        (relay.run_once().await.unwrap() > 0).then_some(())
    })
    .await;
}

fn stock_event(sequence: i64) -> Envelope {
    Envelope {
        id: Envelope::id("inventory/TEA-2", sequence),
        kind: "product_deleted".to_owned(),
        version: 1,
        source: "inventory".to_owned(),
        aggregate_id: "TEA-2".to_owned(),
        sequence,
        occurred_at: Utc::now(),
        trace: Trace::default(),
        data: json!({"sku": "TEA-2"}),
    }
}

#[tokio::test]
async fn without_kafka_the_check_is_skipped() {
    let shop = shop().await;
    let unavailable = Brokers(closed_address().await);
    for (databases, why) in [
        (shop.databases().await, "no Kafka is configured"),
        (
            shop.databases_with_kafka(&unavailable, &Namespace::default())
                .await,
            "Kafka is unavailable",
        ),
    ] {
        for result in audit_events(&databases).await {
            assert_eq!((result.skipped, result.checked), (Some(why), 0), "{result:?}");
        }
        let report = audit::now(&databases).await.unwrap();
        let skip =
            format!("skip   9 every published event is on Kafka, in order per key (not checked: {why})\n");
        assert!(report.clean && report.to_string().contains(&skip), "{report}");
    }
}

#[tokio::test]
async fn events_up_to_the_cursor_must_be_on_kafka() {
    let (shop, kafka) = tokio::join!(shop(), kafka());
    let databases = shop.databases_with_kafka(&kafka.0, &kafka.1).await;
    // An audit of an idle system also checks that each of the three logs is fully published.
    assert_holds(&databases, [0, 3]).await;
    append_events(&shop, 3).await;
    let [immediate, idle] = audit_events(&databases).await;
    assert_eq!(immediate.violated, 0, "events may wait: {immediate:?}");
    assert!(
        idle.violations[0].starts_with("orders: 3 events have been waiting since"),
        "{idle:?}"
    );
    publish_events(&shop, &kafka).await;
    assert_holds(&databases, [3, 6]).await;

    // The cursor moves past events that were never published.
    append_events(&shop, 2).await;
    let passed = "UPDATE event_cursor SET id = (SELECT max(id) FROM domain_events)";
    execute(&shop.orders.pool, passed).await;
    let lost = [4, 5].map(|id| format!("orders: event {id}, order_delivered of {ORDER}, is not on Kafka"));
    assert_violated(&databases, &[&lost[0], &lost[1]]).await;
    // Events from before the service began to publish are not expected.
    execute(&shop.orders.pool, "UPDATE event_cursor SET published_after = 5").await;
    assert_holds(&databases, [0, 3]).await;
}

#[tokio::test]
async fn each_key_must_be_in_order_and_each_sku_without_gaps() {
    let (shop, kafka) = tokio::join!(shop(), kafka());
    let databases = shop.databases_with_kafka(&kafka.0, &kafka.1).await;
    let producer = Producer::new::<InventoryEvent>(&kafka.0, &kafka.1);
    // Publishing the same events twice is not a violation.
    let events = [stock_event(1), stock_event(2), stock_event(1), stock_event(2)];
    producer.publish(&events).await.unwrap();
    let document = doc! {"_id": "TEA-2", "on_hand": 0, "available": 0, "held": 0, "committed": 0, "received": 0,
    "restocked": 0, "holds": [], "journal": [], "event_seq": 2, "events_told": 2};
    shop.insert("stock", document).await;
    assert_holds(&databases, [2, 6]).await;

    producer.publish(&[stock_event(5), stock_event(4)]).await.unwrap();
    shop.set("stock", "TEA-2", doc! {"event_seq": 5, "events_told": 5})
        .await;
    let out_of_order = "inventory: event 4 of TEA-2 is on Kafka after event 5";
    assert_violated(
        &databases,
        &[out_of_order, "inventory: event 3 of TEA-2 is not on Kafka"],
    )
    .await;
    // A gap that is recorded as dropped is not a violation.
    shop.set("stock", "TEA-2", doc! {"events_dropped": 3}).await;
    assert_violated(&databases, &[out_of_order]).await;
}
