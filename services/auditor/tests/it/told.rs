//! Whether what a log says was told is on Kafka.

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

use crate::support::{ORDER, Shop, execute, kafka, nowhere, shop};

const LONG: Duration = Duration::from_secs(30);

/// What two audits say: one that waits for nobody, and one of a system at rest.
async fn told(databases: &Databases) -> [Invariant; 2] {
    let reports = [
        audit::now(databases).await.unwrap(),
        audit::at_rest(databases, Duration::ZERO).await.unwrap(),
    ];
    reports.map(|report| {
        let mut all = report.invariants.into_iter();
        all.find(|one| one.name == "events_told").unwrap()
    })
}

async fn assert_holds(databases: &Databases, checked: [usize; 2]) {
    let lines = told(databases).await;
    for (line, checked) in lines.iter().zip(checked) {
        assert_eq!(
            (line.violated, line.checked, line.skipped),
            (0, checked, None),
            "{line:?}"
        );
    }
}

/// Both audits say the same.
async fn assert_violated(databases: &Databases, violations: &[&str]) {
    for line in told(databases).await {
        assert_eq!(line.violations, violations, "{line:?}");
    }
}

/// So many more events of the one order.
async fn happen(shop: &Shop, events: usize) {
    for _ in 0..events {
        let event = format!(
            "INSERT INTO order_events (order_id, type, data, created_at)
             VALUES ('{ORDER}', 'order_delivered', '{{}}', clock_timestamp())"
        );
        execute(&shop.orders.pool, &event).await;
    }
}

async fn tell(shop: &Shop, (brokers, namespace): &(Brokers, Namespace)) {
    let relay = Relay::new::<OrderEvent>(shop.orders.pool.clone(), brokers, namespace);
    testkit::eventually("the events are told", LONG, async || {
        (relay.run_once().await.unwrap() > 0).then_some(())
    })
    .await;
}

fn stock(sequence: i64) -> Envelope {
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
async fn without_a_kafka_it_says_that_nothing_was_checked() {
    let shop = shop().await;
    let away = Brokers(nowhere().await);
    for (databases, why) in [
        (shop.databases().await, "no Kafka is configured"),
        (
            shop.databases_and(&away, &Namespace::default()).await,
            "Kafka does not answer",
        ),
    ] {
        for line in told(&databases).await {
            assert_eq!((line.skipped, line.checked), (Some(why), 0), "{line:?}");
        }
        let report = audit::now(&databases).await.unwrap();
        let skip = format!(
            "skip   9 every event that was told is on Kafka, each key's in order (not checked: {why})\n"
        );
        assert!(report.clean && report.to_string().contains(&skip), "{report}");
    }
}

#[tokio::test]
async fn what_the_cursor_has_passed_must_be_on_kafka() {
    let (shop, kafka) = tokio::join!(shop(), kafka());
    let databases = shop.databases_and(&kafka.0, &kafka.1).await;
    // At rest it counts the logs, too, in which nothing may wait.
    assert_holds(&databases, [0, 3]).await;
    happen(&shop, 3).await;
    let [running, at_rest] = told(&databases).await;
    assert_eq!(running.violated, 0, "it may wait: {running:?}");
    assert!(
        at_rest.violations[0].starts_with("orders: 3 events wait since"),
        "{at_rest:?}"
    );
    tell(&shop, &kafka).await;
    assert_holds(&databases, [3, 6]).await;

    // A cursor that moved over events that were never told.
    happen(&shop, 2).await;
    let passed = "UPDATE event_cursor SET id = (SELECT max(id) FROM domain_events)";
    execute(&shop.orders.pool, passed).await;
    let lost = [4, 5].map(|id| format!("orders: event {id}, order_delivered of {ORDER}, is not on Kafka"));
    assert_violated(&databases, &[&lost[0], &lost[1]]).await;
    // Unless they are of before the log was told.
    execute(&shop.orders.pool, "UPDATE event_cursor SET told_after = 5").await;
    assert_holds(&databases, [0, 3]).await;
}

#[tokio::test]
async fn each_key_must_be_in_order_and_a_sku_without_a_gap() {
    let (shop, kafka) = tokio::join!(shop(), kafka());
    let databases = shop.databases_and(&kafka.0, &kafka.1).await;
    let producer = Producer::new::<InventoryEvent>(&kafka.0, &kafka.1);
    // A repetition is none of it.
    let events = [stock(1), stock(2), stock(1), stock(2)];
    producer.publish(&events).await.unwrap();
    let document = doc! {"_id": "TEA-2", "on_hand": 0, "available": 0, "held": 0, "committed": 0, "received": 0,
    "restocked": 0, "holds": [], "journal": [], "event_seq": 2, "events_told": 2};
    shop.put("stock", document).await;
    assert_holds(&databases, [2, 6]).await;

    producer.publish(&[stock(5), stock(4)]).await.unwrap();
    shop.set("stock", "TEA-2", doc! {"event_seq": 5, "events_told": 5})
        .await;
    let disorder = "inventory: event 4 of TEA-2 is on Kafka behind 5";
    assert_violated(
        &databases,
        &[disorder, "inventory: event 3 of TEA-2 is not on Kafka"],
    )
    .await;
    // Given up, and said so.
    shop.set("stock", "TEA-2", doc! {"events_dropped": 3}).await;
    assert_violated(&databases, &[disorder]).await;
}
