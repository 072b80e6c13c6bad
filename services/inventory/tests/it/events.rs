//! Domain events, from the outbox in the stock document to a real Kafka broker.

use bson::{Document, doc};
use contracts::{
    Currency, Money, OrderId, ReturnId,
    events::{InventoryEvent, ProductChanged, ProductCreated, ProductDeleted, ProductFacts, StockChanged},
};
use events::Brokers;
use inventory::{
    database::Database,
    outbox::relay::Relay,
    stock::{self, Movement, MovementKind},
};
use reqwest::Method;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    kafka::{KAFKA_TIMEOUT, Kafka, events_by_sku},
    support::{Api, Shelf, TestResponse, api, done, shelf},
};

async fn with_events(mut api: Api) -> Api {
    api.shelf.db = api.shelf.db.clone().with_events(true);
    Api::on(api.shelf).await
}

/// Makes every kind of change to a product and its stock.
async fn exercise_product(api: &Api) {
    let path = "/v1/products/TEA";
    let order = OrderId::generate();
    api.product("TEA", "Green Tea", 500, 5).await;
    let change = api.as_admin(Method::PATCH, path).header("if-match", "\"v1\"");
    TestResponse::of(change.json(&json!({"name": "Sencha", "price": {"amount": 700, "currency": "EUR"}})))
        .await
        .expect(200);
    assert_eq!(api.shelf.reserve(order, &[("TEA", 2)]).await, done());
    let released = OrderId::generate();
    assert_eq!(api.shelf.reserve(released, &[("TEA", 1)]).await, done());
    for _ in 0..2 {
        assert_eq!(api.shelf.commit(order).await, done());
    }
    assert_eq!(api.shelf.release(released).await, done());
    let return_id = ReturnId::generate();
    for _ in 0..2 {
        assert_eq!(api.shelf.restock(order, return_id, &[("TEA", 1)]).await, done());
        api.shelf.sweep().await;
    }
    let count = json!({"delta": -1, "reason": "broken"});
    let adjustments = format!("{path}/stock-adjustments");
    let request = api.as_admin(Method::POST, &adjustments).json(&count);
    TestResponse::of(request.header("idempotency-key", "count"))
        .await
        .expect(200);
    let delete = api.as_admin(Method::DELETE, path).header("if-match", "\"v2\"");
    assert_eq!(TestResponse::of(delete).await.status, 204);
    assert_eq!(api.shelf.levels("TEA").await, (3, 3, 0, 2));
}

fn facts(name: &str, amount: i64, version: i64) -> ProductFacts {
    ProductFacts {
        name: name.to_owned(),
        category: "tea".to_owned(),
        price: Money::new(amount, Currency::EUR),
        version,
    }
}

fn created(sku: &str, product: ProductFacts) -> InventoryEvent {
    let sku = sku.parse().unwrap();
    ProductCreated { sku, product }.into()
}

fn changed(sku: &str, product: ProductFacts) -> InventoryEvent {
    let sku = sku.parse().unwrap();
    ProductChanged { sku, product }.into()
}

fn deleted(sku: &str) -> InventoryEvent {
    let sku = sku.parse().unwrap();
    ProductDeleted { sku }.into()
}

fn stock(sku: &str, reason: &str, available: i64, held: i64) -> InventoryEvent {
    StockChanged {
        sku: sku.parse().unwrap(),
        reason: reason.to_owned(),
        on_hand: available + held,
        available,
        held,
    }
    .into()
}

#[tokio::test]
async fn changes_are_published_in_order_and_with_their_trace() {
    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let _telemetry = telemetry::init("inventory", telemetry::LogFormat::Json).unwrap();
    let (api, kafka) = (with_events(api().await).await, Kafka::start().await);
    exercise_product(&api).await;
    let body = json!({"sku": "TEA", "name": "Tea again", "description": "", "category": "tea",
        "price": {"amount": 900, "currency": "EUR"}});
    let again = api
        .as_admin(Method::POST, "/v1/products")
        .header("traceparent", CALLER);
    TestResponse::of(again.json(&body)).await.expect(201);
    api.product("MUG", "Mug", 1200, 0).await;
    assert_eq!(kafka.publish(&api.shelf).await, 10);
    assert_eq!(kafka.publish(&api.shelf).await, 0, "there are no new events");

    let events = kafka.read(10).await;
    let published = events_by_sku(&events, 1);
    assert_eq!(
        published["TEA"],
        [
            created("TEA", facts("Green Tea", 500, 1)),
            stock("TEA", "adjusted", 5, 0),
            changed("TEA", facts("Sencha", 700, 2)),
            // The order that is released later holds one more unit.
            stock("TEA", "committed", 2, 1),
            stock("TEA", "restocked", 4, 0),
            stock("TEA", "adjusted", 3, 0),
            deleted("TEA"),
            created("TEA", facts("Tea again", 900, 1)),
            // The existing units are kept.
            stock("TEA", "listed", 3, 0),
        ]
    );
    assert_eq!(published["MUG"], [created("MUG", facts("Mug", 1200, 1))]);
    let traced = events.iter().find(|event| event.sequence == 8).unwrap();
    let traceparent = traced.trace.traceparent.as_ref().unwrap();
    assert_eq!(traceparent[..35], CALLER[..35]);
    let document = outbox(&api.shelf, "TEA").await;
    assert_eq!(document.get_array("pending_events").unwrap().len(), 0);
}

/// The complete stock document, including its outbox.
async fn outbox(db: &Database, sku: &str) -> Document {
    let stock = db.stock.clone_with_type::<Document>();
    stock.find_one(doc! {"_id": sku}).await.unwrap().unwrap()
}

#[tokio::test]
async fn without_kafka_no_events_are_recorded_and_the_catalog_is_published_once_it_is_configured() {
    let (api, kafka) = (api().await, Kafka::start().await);
    exercise_product(&api).await;
    api.product("MUG", "Mug", 1200, 3).await;
    api.product("CUP", "Cup", 900, 0).await;
    for sku in ["TEA", "MUG"] {
        let stock = outbox(&api.shelf, sku).await;
        for field in ["event_seq", "pending_events", "events_told", "told"] {
            assert!(!stock.contains_key(field), "{sku}: {stock}");
        }
    }
    let mut api = with_events(api).await;
    assert_eq!(
        kafka.publish(&api.shelf).await,
        3,
        "the removed product TEA is not published"
    );

    // Simulate requests that fail before they record their events: use a process that does not record events.
    api.shelf.db = api.shelf.db.clone().with_events(false);
    let api = Api::on(api.shelf).await;
    let change = api
        .as_admin(Method::PATCH, "/v1/products/MUG")
        .header("if-match", "*");
    TestResponse::of(change.json(&json!({"name": "Big Mug"})))
        .await
        .expect(200);
    let delete = api
        .as_admin(Method::DELETE, "/v1/products/CUP")
        .header("if-match", "*");
    assert_eq!(TestResponse::of(delete).await.status, 204);
    let api = with_events(api).await;
    assert_eq!(kafka.publish(&api.shelf).await, 2);
    let events = kafka.read(5).await;
    let published = events_by_sku(&events, 1);
    let mug = [
        created("MUG", facts("Mug", 1200, 1)),
        stock("MUG", "listed", 3, 0),
        changed("MUG", facts("Big Mug", 1200, 2)),
    ];
    assert_eq!(published["MUG"], mug);
    assert_eq!(
        published["CUP"],
        [created("CUP", facts("Cup", 900, 1)), deleted("CUP")]
    );
    assert!(!published.contains_key("TEA"));
}

async fn adjust(db: &Database, sku: &str) {
    let id = uuid::Uuid::now_v7().to_string();
    let movement = Movement::new(id, MovementKind::Adjust, 1, db.now().await.unwrap());
    stock::store::adjust(db, sku, &movement).await.unwrap();
}

async fn shelf_with_events(units: &[(&str, i64)]) -> Shelf {
    let mut shelf = shelf(units).await;
    shelf.db = shelf.db.clone().with_events(true);
    shelf
}

#[tokio::test]
async fn a_crash_before_the_outbox_is_emptied_publishes_the_same_events_again() {
    let (shelf, kafka) = (shelf_with_events(&[("A", 0)]).await, Kafka::start().await);
    adjust(&shelf, "A").await;
    adjust(&shelf, "A").await;
    let before = outbox(&shelf, "A").await;
    assert_eq!(kafka.publish(&shelf).await, 2);
    // After the crash, the events are published but still in the outbox.
    let pending = before.get_array("pending_events").unwrap();
    let update = doc! {"$set": {"pending_events": pending}, "$unset": {"events_told": ""}};
    shelf
        .db
        .stock
        .update_one(doc! {"_id": "A"}, update)
        .await
        .unwrap();
    adjust(&shelf, "A").await;
    assert_eq!(kafka.publish(&shelf).await, 3);
    let events = kafka.read(5).await;
    assert_eq!((&events[0], &events[1]), (&events[2], &events[3]));
    let expected = [1, 2, 3].map(|units| stock("A", "adjusted", units, 0));
    assert_eq!(events_by_sku(&events, 1)["A"], expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_relays_publish_every_event_in_order() {
    let (shelf, kafka) = (
        shelf_with_events(&[("A", 0), ("B", 0)]).await,
        Kafka::start().await,
    );
    let stop = CancellationToken::new();
    let relays: Vec<_> = (0..3)
        .map(|_| tokio::spawn(kafka.relay(&shelf).run(stop.clone())))
        .collect();
    let (db, shelf) = (&shelf.db, &shelf);
    futures::future::join_all((0..4).map(|writer| async move {
        for _ in 0..10 {
            adjust(db, if writer % 2 == 0 { "A" } else { "B" }).await;
        }
    }))
    .await;
    testkit::eventually("every event is published", KAFKA_TIMEOUT, async || {
        let waiting = doc! {"pending_events.sequence": {"$gt": 0}};
        let count = shelf.db.stock.count_documents(waiting).await.unwrap();
        (count == 0).then_some(())
    })
    .await;
    stop.cancel();
    for relay in relays {
        relay.await.unwrap();
    }
    let mut events = kafka.read(40).await;
    // The topic may contain duplicates, so read on until every event was found.
    while events_by_sku(&events, 1).values().flatten().count() < 40 {
        events = kafka.read(events.len() + 1).await;
    }
    let expected = |sku| -> Vec<_> { (1..=20).map(|units| stock(sku, "adjusted", units, 0)).collect() };
    let published = events_by_sku(&events, 1);
    assert_eq!(
        (&published["A"], &published["B"]),
        (&expected("A"), &expected("B"))
    );
    assert_eq!(shelf.levels("A").await, (20, 20, 0, 0));
}

#[tokio::test]
async fn pending_events_are_bounded_while_kafka_is_unavailable_and_the_product_is_recorded_again() {
    let (api, kafka) = (with_events(api().await).await, Kafka::start().await);
    api.product("TEA", "Green Tea", 500, 1).await;
    let disconnected = Relay::new(
        api.shelf.db.clone(),
        &Brokers("127.0.0.1:1".into()),
        &kafka.namespace,
    );
    let error = disconnected.run_once().await.unwrap_err();
    assert!(error.to_string().contains("Kafka did not confirm"), "{error:#}");
    // Simulate 999 more events.
    let stock_of = api.shelf.db.stock.clone_with_type::<Document>();
    let document = outbox(&api.shelf, "TEA").await;
    let last = document.get_array("pending_events").unwrap()[1]
        .as_document()
        .unwrap()
        .clone();
    let many: Vec<_> = (2..=1_001_i64)
        .map(|sequence| {
            let mut event = last.clone();
            event.insert("sequence", sequence);
            event
        })
        .collect();
    let update = doc! {"$set": {"pending_events": many, "event_seq": 1_001_i64}};
    stock_of.update_one(doc! {"_id": "TEA"}, update).await.unwrap();
    adjust(&api.shelf, "TEA").await;
    let pending = outbox(&api.shelf, "TEA").await;
    assert_eq!(pending.get_array("pending_events").unwrap().len(), 1_000);

    assert_eq!(kafka.publish(&api.shelf).await, 1_002);
    let events = kafka.read(1_002).await;
    let published = &events_by_sku(&events, 3)["TEA"];
    assert_eq!(published[999], stock("TEA", "adjusted", 2, 0));
    assert_eq!(published[1_000], created("TEA", facts("Green Tea", 500, 1)));
    assert_eq!(published[1_001], stock("TEA", "listed", 2, 0));
    let metrics = telemetry::metrics::encode();
    let dropped = r#"events_dropped_total{topic="inventory.v1"} 2"#;
    assert!(metrics.contains(dropped), "{metrics}");
    assert_eq!(
        outbox(&api.shelf, "TEA").await.get_i64("events_dropped").unwrap(),
        2
    );
    assert_eq!(api.shelf.levels("TEA").await, (2, 2, 0, 0));
}
