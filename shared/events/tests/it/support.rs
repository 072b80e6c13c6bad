//! A minimal service with an event table, and helpers that read its topic.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use contracts::{
    OrderId, UserId,
    events::{Envelope, OrderEvent, topics},
};
use events::{Brokers, Consumer, Handler, Namespace, Received, Relay};
use sqlx::{
    PgConnection, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use testkit::postgres::TestDatabase;
use tokio_util::sync::CancellationToken;

pub(crate) const LONG: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) db: TestDatabase,
    pub(crate) brokers: Brokers,
    pub(crate) namespace: Namespace,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::on(testkit::kafka::brokers()).await
    }

    pub(crate) async fn on(brokers: String) -> Self {
        let this = Self {
            db: testkit::postgres::database(&migrator()).await,
            brokers: Brokers(brokers),
            namespace: testkit::namespace(),
        };
        events::topics::create(&this.brokers, &this.namespace)
            .await
            .expect("topics");
        this
    }

    pub(crate) fn relay(&self) -> Relay {
        Relay::new::<OrderEvent>(self.db.pool.clone(), &self.brokers, &self.namespace)
    }

    /// A relay that has already published. The first batch takes longer than tests wait for an event that must not come.
    pub(crate) async fn warmed_up_relay(&self) -> Relay {
        let relay = self.relay();
        self.order(1).await;
        next_batch(&relay).await;
        relay
    }

    pub(crate) fn consumer(&self, group: &str) -> Consumer {
        Consumer::new(&self.brokers, self.namespace.clone(), group, &[topics::ORDERS])
    }

    /// Creates an order with `changes` events.
    pub(crate) async fn order(&self, changes: usize) -> OrderId {
        let order = OrderId::generate();
        let mut conn = self.db.pool.acquire().await.unwrap();
        for _ in 0..changes {
            change(&mut conn, order).await;
        }
        order
    }

    /// Row numbers of all events in the table, by order.
    pub(crate) async fn written(&self) -> BTreeMap<String, Vec<i64>> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT aggregate_id, id FROM domain_events ORDER BY id")
                .fetch_all(&self.db.pool)
                .await
                .unwrap();
        by_key(rows)
    }

    /// Reads the topic from the beginning as a new group, until `enough` returns true.
    pub(crate) async fn read(&self, enough: impl Fn(&[Envelope]) -> bool) -> Vec<Envelope> {
        let group = format!("reader-{}", uuid::Uuid::new_v4());
        let seen = Arc::new(Seen::default());
        let stop = CancellationToken::new();
        let running = tokio::spawn(self.consumer(&group).run(Arc::clone(&seen), stop.clone()));
        testkit::eventually("enough events are in the topic", LONG, async || {
            enough(&seen.events()).then_some(())
        })
        .await;
        stop.cancel();
        running.await.unwrap();
        seen.events()
    }
}

/// Publishes a batch once the topic has leaders and older transactions have ended. Returns its number of events.
pub(crate) async fn next_batch(relay: &Relay) -> usize {
    testkit::eventually("a batch is published", LONG, async || {
        Some(relay.run_once().await.unwrap()).filter(|published| *published > 0)
    })
    .await
}

/// Adds an event of an order. Locks the order's row first, as the relay requires.
pub(crate) async fn change(conn: &mut PgConnection, order: OrderId) {
    sqlx::query(
        "INSERT INTO orders (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET changes = orders.changes + 1",
    )
    .bind(order.0)
    .execute(&mut *conn)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO order_events (order_id, type, data, traceparent)
         VALUES ($1, 'stock_reserved', jsonb_build_object('order_id', $1, 'user_id', $2::uuid), $3)",
    )
    .bind(order.0)
    .bind(UserId::generate().0)
    .bind("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    .execute(conn)
    .await
    .unwrap();
}

pub(crate) fn by_key(rows: impl IntoIterator<Item = (String, i64)>) -> BTreeMap<String, Vec<i64>> {
    let mut keys = BTreeMap::<_, Vec<_>>::new();
    for (key, sequence) in rows {
        keys.entry(key).or_default().push(sequence);
    }
    keys
}

/// Sequence numbers by key, as a consumer processes them: duplicates of an event are ignored.
pub(crate) fn deduplicated(events: &[Envelope]) -> BTreeMap<String, Vec<i64>> {
    let mut seen = std::collections::HashSet::new();
    by_key(
        events
            .iter()
            .filter(|event| seen.insert(event.id))
            .map(|event| (event.aggregate_id.clone(), event.sequence)),
    )
}

/// Records the events that it receives.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Vec<Envelope>>);

impl Seen {
    pub(crate) fn events(&self) -> Vec<Envelope> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn record(&self, batch: &[Received]) {
        let events = batch.iter().filter_map(|received| received.event.clone().ok());
        self.0.lock().unwrap().extend(events);
    }
}

impl Handler for Seen {
    async fn handle(&self, batch: &[Received]) -> anyhow::Result<()> {
        self.record(batch);
        Ok(())
    }
}

/// A migrator with the DDL from the documentation of the relay, so that the documentation is tested too.
fn migrator() -> Migrator {
    let documented = include_str!("../../src/relay.rs")
        .lines()
        .skip_while(|line| !line.contains("```sql"))
        .skip(1)
        .take_while(|line| !line.contains("```"))
        .map(|line| line.trim_start_matches("//!"));
    let service = "CREATE TABLE orders (id uuid PRIMARY KEY, changes int NOT NULL DEFAULT 0);
        CREATE TABLE order_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id uuid NOT NULL,
            type text NOT NULL, data jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
            traceparent text, tracestate text);";
    let ddl: String = std::iter::once(service)
        .chain(documented)
        .collect::<Vec<_>>()
        .join("\n");
    let migration = Migration::new(
        1,
        Cow::Borrowed("events"),
        MigrationType::Simple,
        sqlx::AssertSqlSafe(ddl).into_sql_str(),
        false,
    );
    Migrator {
        migrations: Cow::Owned(vec![migration]),
        ..Migrator::DEFAULT
    }
}
