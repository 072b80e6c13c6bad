//! Rebuilding the database from the events on a real Kafka.

use std::{borrow::Cow, time::Duration};

use contracts::{
    OrderId, UserId,
    events::{DomainEvent, Envelope, InventoryEvent, OrderEvent, PaymentEvent, UserEvent},
};
use events::{Brokers, Namespace, Relay};
use notifications::consume;
use serde_json::json;
use sqlx::{
    PgPool, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use testkit::postgres::TestDatabase;
use tokio_util::sync::CancellationToken;

use crate::support::{Log, World, dump};

const TIMEOUT: Duration = Duration::from_mins(1);

/// An event log table with the schema that the relay expects.
async fn table() -> TestDatabase {
    let ddl = "CREATE TABLE event_cursor (one boolean PRIMARY KEY DEFAULT true, id bigint NOT NULL DEFAULT 0,
            moved_at timestamptz NOT NULL DEFAULT now());
        INSERT INTO event_cursor DEFAULT VALUES;
        CREATE TABLE domain_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, aggregate_id text NOT NULL,
            type text NOT NULL, version int NOT NULL, data jsonb NOT NULL, occurred_at timestamptz NOT NULL,
            traceparent text, tracestate text)";
    let migration = Migration::new(
        1,
        Cow::Borrowed("events"),
        MigrationType::Simple,
        ddl.into_sql_str(),
        false,
    );
    let migrator = Migrator {
        migrations: Cow::Owned(vec![migration]),
        ..Migrator::DEFAULT
    };
    testkit::postgres::database(&migrator).await
}

struct Kafka {
    brokers: Brokers,
    namespace: Namespace,
    table: TestDatabase,
}

impl Kafka {
    async fn start() -> Self {
        let this = Self {
            brokers: Brokers(testkit::kafka::brokers()),
            namespace: testkit::namespace(),
            table: table().await,
        };
        events::topics::create(&this.brokers, &this.namespace)
            .await
            .unwrap();
        this
    }

    /// Publishes events of one service through a relay.
    async fn publish<E: DomainEvent>(&self, events: &[Envelope]) {
        for event in events {
            sqlx::query(
                "INSERT INTO domain_events (aggregate_id, type, version, data, occurred_at) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(&event.aggregate_id)
            .bind(&event.kind)
            .bind(event.version.cast_signed())
            .bind(&event.data)
            .bind(event.occurred_at)
            .execute(&self.table.pool)
            .await
            .unwrap();
        }
        let relay = Relay::new::<E>(self.table.pool.clone(), &self.brokers, &self.namespace);
        testkit::eventually("the events are published", TIMEOUT, async || {
            let published = relay.run_once().await.unwrap();
            (published == events.len()).then_some(())
        })
        .await;
    }

    fn serve(&self, pool: &PgPool, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
        tokio::spawn(consume::run(
            pool.clone(),
            self.brokers.clone(),
            self.namespace.clone(),
            stop.clone(),
        ))
    }
}

#[tokio::test]
async fn a_rebuild_restores_every_table_and_sends_no_mail_twice() {
    let (kafka, world) = (Kafka::start().await, World::start().await);
    let mut log = Log::default();
    let (ada, bob, order) = (UserId::generate(), UserId::generate(), OrderId::generate());
    let mut users = vec![log.registered(ada, Some("de")), log.registered(bob, None)];
    users.extend(log.changed_address(ada, "ada@new.test"));
    let mut orders = log.purchase(ada, order);
    orders.extend(log.purchase(bob, OrderId::generate()));
    orders.extend(log.rejected(bob, OrderId::generate(), "timeout"));
    let mut broken = orders[0].clone();
    broken.data = json!({"order_id": 7});
    orders.push(broken);
    kafka.publish::<OrderEvent>(&orders).await;
    kafka.publish::<UserEvent>(&users).await;
    kafka.publish::<PaymentEvent>(&[log.refunded(ada, order)]).await;
    kafka.publish::<InventoryEvent>(&log.renamed()).await;

    let stop = CancellationToken::new();
    let serving = kafka.serve(world.pool(), &stop);
    let count = i64::try_from(users.len() + orders.len() - 1 + 1 + 2).unwrap();
    testkit::eventually("every event is consumed", TIMEOUT, async || {
        (world.count("processed_events").await == count && world.count("poison_events").await == 1)
            .then_some(())
    })
    .await;
    let token = world.issuer.customer(ada);
    assert_eq!(world.post("/v1/notifications/read", &token).await, 204);
    sqlx::query(
        "UPDATE mails SET status = 'sent', settled_at = now(), content = NULL WHERE kind <> 'welcome'",
    )
    .execute(world.pool())
    .await
    .unwrap();
    let before = dump(world.pool()).await;
    assert!(
        before.values().all(|rows| !rows.is_empty()),
        "every table has rows, so the test covers it: {before:#?}"
    );

    // A running service process must switch to the new epoch.
    consume::rebuild(
        world.pool().clone(),
        kafka.brokers.clone(),
        kafka.namespace.clone(),
        CancellationToken::new(),
    )
    .await
    .unwrap();
    assert_eq!(dump(world.pool()).await, before);
    let epoch: i32 = sqlx::query_scalar("SELECT number FROM epoch")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert_eq!(epoch, 1);

    // Later events are consumed once.
    kafka
        .publish::<OrderEvent>(&log.rejected(ada, OrderId::generate(), "timeout"))
        .await;
    testkit::eventually("the new events are consumed", TIMEOUT, async || {
        (world.count("processed_events").await == count + 2).then_some(())
    })
    .await;
    assert_eq!(world.get("/v1/notifications", &token).await.1["unread"], json!(1));
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test]
async fn nothing_is_deleted_if_kafka_is_unavailable_or_empty() {
    let world = World::start().await;
    world
        .consume(&Log::default().purchase(UserId::generate(), OrderId::generate()))
        .await;
    let before = dump(world.pool()).await;
    let unavailable = Brokers("127.0.0.1:9".to_owned());
    let empty = Kafka::start().await;
    for (brokers, namespace, why) in [
        (unavailable, Namespace::default(), "cannot be read"),
        (empty.brokers.clone(), empty.namespace.clone(), "is empty"),
    ] {
        let rebuild = consume::rebuild(world.pool().clone(), brokers, namespace, CancellationToken::new());
        let error = rebuild.await.unwrap_err();
        assert!(error.to_string().contains(why), "{error:#}");
        assert_eq!(dump(world.pool()).await, before);
    }
}
