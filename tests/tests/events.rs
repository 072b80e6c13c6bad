//! Tests that orders are not affected while Kafka is killed and restarted, and that afterwards all events have been published
//! and processed by their consumers.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use contracts::events::{Envelope, InventoryEvent, topics};
use e2e::{Client, Stack, client};
use events::{Brokers, Namespace, Reader};
use serde_json::{Value, json};
use sqlx::PgPool;
use testkit::eventually;

/// The services whose event log is a table, and their topics.
const LOGS: [(&str, &str); 3] = [
    ("users", topics::USERS),
    ("orders", topics::ORDERS),
    ("payments", topics::PAYMENTS),
];
const LONG: Duration = Duration::from_mins(1);

struct Shop {
    stack: Stack,
    admin: Client,
    shopper: Client,
    sku: String,
}

/// Orders in the order in which they were placed.
type Orders = Vec<Value>;

impl Shop {
    async fn open() -> Self {
        let stack = Stack::running();
        let gateway = &stack.status.gateway;
        let (admin, shopper) = tokio::join!(Client::admin(gateway), Client::shopper(gateway));
        let sku = admin.product(100).await;
        Self {
            stack,
            admin,
            shopper,
            sku,
        }
    }

    /// Places orders one after another. Every request must be accepted at once.
    async fn place(&self, orders: &mut Orders) {
        for method in [
            "pm_card_ok",
            "pm_card_declined",
            "pm_card_capture_declined",
            "pm_card_ok",
        ] {
            let body = client::order_body(&self.sku, 2, method);
            orders.push(self.shopper.post("/v1/orders", body).await.expect(202).body);
        }
    }

    /// Runs a blocking command of the stack for Kafka, concurrently with other work.
    async fn command(&self, command: fn(&Stack, &str)) {
        let stack = self.stack.clone();
        tokio::task::spawn_blocking(move || command(&stack, "kafka"))
            .await
            .expect("the command succeeds");
    }

    async fn settle(&self, orders: &mut Orders) {
        for order in orders {
            *order = self.shopper.settled_within(order, LONG).await;
        }
    }

    async fn database(&self, service: &str) -> PgPool {
        let url = &self.stack.status.databases[service];
        PgPool::connect(url).await.expect("the database is available")
    }

    /// Returns the number of events in a service's table that are not published yet.
    async fn pending(&self, service: &str) -> i64 {
        let pending = "SELECT count(*) FROM domain_events WHERE id > (SELECT id FROM event_cursor)";
        let pool = self.database(service).await;
        sqlx::query_scalar(pending).fetch_one(&pool).await.expect("a log")
    }

    /// Reads all events of a topic without duplicates, and checks the order of each key.
    async fn topic(&self, topic: &str) -> Vec<Envelope> {
        let brokers = Brokers(self.stack.status.kafka.clone().expect("the system has a Kafka"));
        let reader = Reader::new(&brokers, Namespace::default());
        let read = reader.read(topic, None, LONG).await;
        let mut events: Vec<Envelope> = read.expect("the topic can be read").events;
        let (mut seen, mut last) = (HashSet::new(), BTreeMap::new());
        events.retain(|event| seen.insert(event.id));
        for event in &events {
            let before = last.insert(event.aggregate_id.clone(), event.sequence);
            assert!(
                before.is_none_or(|before| before < event.sequence),
                "{event:?} after {before:?}"
            );
        }
        events
    }

    /// Asserts that every row of a service's event table has been published unchanged.
    async fn assert_published(&self, service: &str, topic: &str) {
        eventually("all events are published", LONG, async || {
            (self.pending(service).await == 0).then_some(())
        })
        .await;
        let published: BTreeMap<_, _> = self
            .topic(topic)
            .await
            .into_iter()
            .map(|event| (event.id, (event.aggregate_id, event.kind, event.data)))
            .collect();
        let pool = self.database(service).await;
        let rows: Vec<(i64, String, String, Value)> =
            sqlx::query_as("SELECT id, aggregate_id, type, data FROM domain_events")
                .fetch_all(&pool)
                .await
                .expect("a log");
        assert!(!rows.is_empty());
        for (id, aggregate, kind, data) in rows {
            let event = published.get(&Envelope::id(service, id));
            assert_eq!(event, Some(&(aggregate, kind, data)), "event {id} of {service}");
        }
    }

    /// Asserts that the last event of the product has its current stock, and that no sequence number of any SKU is missing. The
    /// available stock is not compared, because releases do not publish an event here.
    async fn assert_stock_published(&self) {
        let stock = self.admin.stock(&self.sku).await;
        let on_hand = stock["on_hand"].as_i64();
        let events = eventually("the last change of the stock is published", LONG, async || {
            let events = self.topic(topics::INVENTORY).await;
            let mine = events.iter().rev().filter(|event| event.aggregate_id == self.sku);
            let mut changes =
                mine.filter_map(|event| event.decode().expect("the event matches its contract"));
            let InventoryEvent::StockChanged(last) = changes.next()? else {
                return None;
            };
            (Some(last.on_hand) == on_hand).then_some(events)
        })
        .await;
        let mut next = BTreeMap::new();
        for event in events {
            let next = next.entry(event.aggregate_id.clone()).or_insert(1);
            assert_eq!(event.sequence, *next, "{event:?}");
            *next += 1;
        }
    }

    /// Asserts that the shopper has exactly one notification for the outcome of each order and for the refund.
    async fn assert_listed(&self, orders: &Orders, refunded: &Value) {
        let line = |kind: &str, order: &Value| {
            (
                kind.to_owned(),
                order["id"].as_str().unwrap_or_default().to_owned(),
            )
        };
        let mut expected: Vec<_> = orders
            .iter()
            .map(|order| {
                line(
                    &format!("order_{}", order["status"].as_str().unwrap_or_default()),
                    order,
                )
            })
            .chain([line("payment_refunded", refunded)])
            .collect();
        expected.sort();
        eventually("all notifications are listed", LONG, async || {
            let list = self
                .shopper
                .get("/v1/notifications?limit=100")
                .await
                .expect(200)
                .body;
            let items = list["items"].as_array()?.iter();
            let of_orders = items.filter(|item| item["order_id"].is_string());
            let mut lines: Vec<_> = of_orders
                .map(|item| {
                    (
                        item["kind"].as_str().unwrap_or_default().to_owned(),
                        item["order_id"].as_str().unwrap_or_default().to_owned(),
                    )
                })
                .collect();
            lines.sort();
            (lines == expected).then_some(())
        })
        .await;
    }

    /// Asserts that the sales figures, which are derived from events, match the orders database.
    async fn assert_sales_agree(&self) {
        let pool = self.database("orders").await;
        let (placed, confirmed, rejected, revenue, refunded): (i64, i64, i64, i64, i64) = sqlx::query_as(
            "SELECT count(*), count(*) FILTER (WHERE sold), count(*) FILTER (WHERE status = 'rejected'),
                 coalesce(sum(amount) FILTER (WHERE sold), 0)::bigint, sum(refunded)::bigint
             FROM (SELECT *, status IN ('confirmed', 'shipped', 'delivered', 'returned') AS sold FROM orders) AS orders",
        )
        .fetch_one(&pool)
        .await
        .expect("orders");
        let expected = json!([placed, confirmed, rejected, rejected, revenue, refunded]);
        let mut last = Value::Null;
        for _ in 0..600 {
            let sales = self.admin.get("/v1/admin/sales").await.expect(200).body;
            let sum = |list: &str, path: &str| -> i64 {
                let entries = sales[list].as_array().into_iter().flatten();
                entries.filter_map(|entry| entry.pointer(path)?.as_i64()).sum()
            };
            let step = |step: &str| {
                let mut steps = sales["funnel"].as_array().into_iter().flatten();
                steps
                    .find(|entry| entry["step"] == step)
                    .map_or(0, |entry| entry["orders"].as_i64().unwrap_or(0))
            };
            last = json!([
                step("placed"),
                step("confirmed"),
                step("rejected"),
                sum("rejections", "/orders"),
                sum("hours", "/revenue/amount"),
                sum("hours", "/refunded/amount"),
            ]);
            if last == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "placed, confirmed, rejected, reasons, revenue, refunded: {last}, but the orders database has {expected}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_kafka_affects_no_order_and_loses_no_event() {
    let shop = Shop::open().await;
    let mut orders = Orders::new();
    shop.place(&mut orders).await;
    tokio::join!(shop.command(Stack::kill), shop.place(&mut orders));
    // The orders settle without Kafka.
    shop.settle(&mut orders).await;
    let refunded = orders[0].clone();
    let payment = refunded["payment"]["id"].as_str().expect("a payment");
    let refund = json!({"amount": {"amount": 500, "currency": "EUR"}, "reason": "a scratch"});
    let refund = shop
        .admin
        .post(&format!("/v1/payments/{payment}/refunds"), refund)
        .await;
    assert!(refund.status.is_success(), "{:#}", refund.body);
    let id = refunded["id"].as_str().expect("an id");
    shop.shopper
        .wait_until(id, |order| order["payment_status"] == "partially_refunded")
        .await;
    for (service, _) in &LOGS[1..] {
        assert!(
            shop.pending(service).await > 0,
            "{service} published events without Kafka"
        );
    }
    tokio::join!(shop.command(Stack::start), shop.place(&mut orders));
    shop.settle(&mut orders).await;
    let statuses: BTreeSet<_> = orders
        .iter()
        .filter_map(|order| order["status"].as_str())
        .collect();
    assert_eq!(statuses, BTreeSet::from(["confirmed", "rejected"]));

    for (service, topic) in LOGS {
        shop.assert_published(service, topic).await;
    }
    shop.assert_stock_published().await;
    shop.assert_listed(&orders, &refunded).await;
    shop.assert_sales_agree().await;
    shop.stack.audit(LONG);
}
