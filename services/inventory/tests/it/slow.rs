//! Saga commands on a slow database, and the number of round trips that they take.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use contracts::{OrderId, ReturnId, saga::ReserveStock};
use inventory::{database::Database, holds::perform};
use mongodb::{
    Client,
    event::{EventHandler, command::CommandEvent},
    options::ClientOptions,
};
use testkit::mongo::TestMongo;

use crate::{
    commands::incoming,
    proxy::Proxy,
    support::{Shelf, done, items, reason},
};

/// Number of lines of a large order.
const LINES: usize = 50;

/// A test database that counts its commands.
pub(crate) struct CountedDatabase {
    pub(crate) shelf: Shelf,
    commands: Arc<AtomicUsize>,
    mongo: TestMongo,
}

impl CountedDatabase {
    /// Creates a database with the given number of units of each SKU.
    pub(crate) async fn with(units: &[(&str, i64)]) -> Self {
        let mongo = testkit::mongo::database().await;
        let commands = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&commands);
        let mut options = ClientOptions::parse(&mongo.url).await.unwrap();
        options.command_event_handler = Some(EventHandler::callback(move |event| {
            if matches!(event, CommandEvent::Started(_)) {
                count.fetch_add(1, SeqCst);
            }
        }));
        let client = Client::with_options(options).unwrap();
        let db = Database::of(client.default_database().unwrap());
        Self {
            shelf: Shelf::filled(db, units).await,
            commands,
            mongo,
        }
    }

    /// Runs `work` and returns the number of database commands and its result.
    pub(crate) async fn count_commands<T>(&self, work: impl Future<Output = T>) -> (usize, T) {
        let before = self.commands.load(SeqCst);
        let result = work.await;
        (self.commands.load(SeqCst) - before, result)
    }
}

fn skus() -> Vec<String> {
    (0..LINES).map(|line| format!("SKU-{line:02}")).collect()
}

fn lines(skus: &[String], each: i64) -> Vec<(&str, i64)> {
    skus.iter().map(|sku| (sku.as_str(), each)).collect()
}

#[tokio::test]
async fn an_order_of_fifty_lines_takes_no_more_commands_than_one_of_a_single_line() {
    let skus = skus();
    let counted = CountedDatabase::with(&lines(&skus, 90)).await;
    let shelf = &counted.shelf;
    shelf.sweep().await;
    let mut counts = Vec::new();
    for wanted in [&lines(&skus[..1], 1)[..], &lines(&skus, 1)] {
        let (paid, released, return_id) = (OrderId::generate(), OrderId::generate(), ReturnId::generate());
        let short: Vec<_> = wanted.iter().map(|(sku, _)| (*sku, 95)).collect();
        let commands = [
            counted.count_commands(shelf.reserve(paid, wanted)).await,
            counted.count_commands(shelf.pin(paid)).await,
            counted.count_commands(shelf.commit(paid)).await,
            counted
                .count_commands(shelf.restock(paid, return_id, wanted))
                .await,
            counted.count_commands(shelf.reserve(released, wanted)).await,
            counted.count_commands(shelf.release(released)).await,
        ];
        assert!(
            commands.iter().all(|(_, outcome)| *outcome == done()),
            "{commands:?}"
        );
        let (refused, outcome) = counted
            .count_commands(shelf.reserve(OrderId::generate(), &short))
            .await;
        assert_eq!(reason(&outcome), "out_of_stock");
        let (swept, _) = counted.count_commands(shelf.sweep()).await;
        counts.push((commands.map(|(count, _)| count), refused, swept));
    }
    assert_eq!(counts[0], counts[1]);
    // Each command is a round trip. With a latency of 80 ms, a checkout takes less than a second.
    assert_eq!(counts[1], ([2, 2, 2, 3, 2, 4], 9, 7));
    for sku in &skus {
        assert_eq!(shelf.levels(sku).await.2, 0, "{sku}");
    }
}

#[tokio::test]
async fn a_short_line_ends_the_reservation_and_leaves_no_holds() {
    let skus = skus();
    let counted = CountedDatabase::with(&lines(&skus, 1)).await;
    let shelf = &counted.shelf;
    // The last SKU is sold out, so the reservation holds every other line first.
    assert_eq!(shelf.reserve(OrderId::generate(), &[("SKU-49", 1)]).await, done());
    let order = OrderId::generate();
    assert_eq!(
        reason(&shelf.reserve(order, &lines(&skus, 1)).await),
        "out_of_stock"
    );
    for sku in &skus[..LINES - 1] {
        assert_eq!(shelf.levels(sku).await, (1, 1, 0, 0), "{sku}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_orders_for_the_same_last_units_gets_all_of_them() {
    let shelf = crate::support::shelf(&[("A", 1), ("B", 1), ("C", 1)]).await;
    let wanted = [("C", 1), ("A", 1), ("B", 1)];
    let orders = (0..20).map(|_| shelf.reserve(OrderId::generate(), &wanted));
    let outcomes = futures::future::join_all(orders).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == done()).count(), 1);
    for sku in ["A", "B", "C"] {
        assert_eq!(shelf.levels(sku).await, (1, 0, 1, 0), "{sku}");
    }
}

#[tokio::test]
async fn a_command_succeeds_although_every_database_reply_takes_two_seconds() {
    let skus = skus();
    let counted = CountedDatabase::with(&lines(&skus, 1)).await;
    let proxy = Proxy::to(&counted.mongo.url, "").await;
    let db = proxy.database(&counted.mongo.url).await;
    // Connect before the database becomes slow, as a running service would have.
    db.ping().await.unwrap();
    proxy.delay(Duration::from_secs(2));
    let command = ReserveStock {
        order_id: OrderId::generate(),
        items: items(&lines(&skus, 1)),
        hold_seconds: 900,
    };
    let outcome = perform(&db, &incoming(&command.into())).await.unwrap();
    assert_eq!(outcome, done());
}
