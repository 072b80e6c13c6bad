//! Tests of outbox and inbox with a real PostgreSQL and a real RabbitMQ.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

use std::borrow::Cow;

use contracts::{CommandId, OrderId, SagaId, saga};
use messaging::{Broker, Incoming, Namespace, Outbox, Outgoing, inbox, outbox};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use telemetry::TraceContext;
use uuid::Uuid;

/// Creates a database with the DDL from the documentation of the modules, so that the documentation is tested too.
async fn database() -> testkit::postgres::TestDatabase {
    let ddl: String = [include_str!("../src/outbox.rs"), include_str!("../src/inbox.rs")]
        .map(ddl)
        .concat();
    let migration = Migration::new(
        1,
        Cow::Borrowed("messaging"),
        MigrationType::Simple,
        sqlx::AssertSqlSafe(ddl).into_sql_str(),
        false,
    );
    let migrator = Migrator {
        migrations: Cow::Owned(vec![migration]),
        ..Migrator::DEFAULT
    };
    testkit::postgres::database(&migrator).await
}

fn ddl(source: &str) -> String {
    let lines = source.lines().skip_while(|line| !line.contains("```sql")).skip(1);
    lines
        .take_while(|line| !line.contains("```"))
        .map(|line| line.trim_start_matches("//!"))
        .collect::<Vec<_>>()
        .join("\n")
}

use sqlx::SqlSafeStr as _;

async fn broker() -> std::sync::Arc<Broker> {
    Broker::connect(&testkit::amqp_url(), "test", testkit::namespace())
        .await
        .expect("a valid URL")
}

fn command() -> Outgoing {
    let order = OrderId::generate();
    let saga = SagaId::from(order);
    Outgoing::command(
        saga::PinStock { order_id: order }.into(),
        CommandId::derive(saga, "pin_stock", "do"),
        saga,
    )
}

async fn pending(pool: &sqlx::PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM outbox")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn committed_messages_are_published_by_any_relay() {
    let db = database().await;
    let messages = [command(), command()];
    let mut transaction = db.pool.begin().await.unwrap();
    outbox::insert(&mut transaction, &messages).await.unwrap();
    transaction.commit().await.unwrap();
    let mut rolled_back = db.pool.begin().await.unwrap();
    outbox::insert(&mut rolled_back, &[command()]).await.unwrap();
    rolled_back.rollback().await.unwrap();

    // A new relay publishes them, as after a crash of the process that inserted them.
    let outbox = Outbox::new(db.pool.clone(), broker().await);
    assert_eq!(outbox.run_once().await.unwrap(), 2);
    assert_eq!(pending(&db.pool).await, 0);
    assert_eq!(outbox.run_once().await.unwrap(), 0);
}

#[tokio::test]
async fn relays_publish_different_rows_and_those_of_a_crashed_relay() {
    let db = database().await;
    let mut conn = db.pool.acquire().await.unwrap();
    let (claimed, free) = (command(), command());
    outbox::insert(&mut conn, &[claimed.clone(), free]).await.unwrap();
    // Another relay is publishing the first row.
    let claim = "UPDATE outbox SET claimed_until = now() + make_interval(secs => $1) WHERE message_id = $2";
    let claim = async |seconds: f64| {
        let claimed = sqlx::query(claim).bind(seconds).bind(claimed.id);
        claimed.execute(&db.pool).await.unwrap();
    };
    claim(60.0).await;
    let outbox = Outbox::new(db.pool.clone(), broker().await);
    assert_eq!(outbox.run_once().await.unwrap(), 1);
    assert_eq!(pending(&db.pool).await, 1);
    // The other relay has crashed, and its claim expires.
    claim(-1.0).await;
    assert_eq!(outbox.run_once().await.unwrap(), 1);
    assert_eq!(pending(&db.pool).await, 0);
}

#[tokio::test]
async fn rows_stay_while_the_broker_is_unavailable_or_a_message_is_unroutable() {
    let db = database().await;
    let mut conn = db.pool.acquire().await.unwrap();
    let unroutable = Outgoing {
        queue: "nowhere".into(),
        ..command()
    };
    outbox::insert(&mut conn, &[command(), unroutable.clone(), command()])
        .await
        .unwrap();
    let unavailable = Broker::connect("amqp://127.0.0.1:1/%2f", "test", Namespace::default())
        .await
        .unwrap();
    assert!(
        Outbox::new(db.pool.clone(), unavailable)
            .run_once()
            .await
            .is_err()
    );
    assert_eq!(pending(&db.pool).await, 3);
    assert_eq!(
        Outbox::new(db.pool.clone(), broker().await)
            .run_once()
            .await
            .unwrap(),
        2
    );
    let remaining: Uuid = sqlx::query_scalar("SELECT message_id FROM outbox")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(remaining, unroutable.id);
}

#[tokio::test]
async fn many_unroutable_messages_do_not_block_others() {
    let db = database().await;
    let mut conn = db.pool.acquire().await.unwrap();
    let unroutable = |_| Outgoing {
        queue: "nowhere".into(),
        ..command()
    };
    // More messages than fit into a batch.
    let unroutable: Vec<_> = (0..300).map(unroutable).collect();
    outbox::insert(&mut conn, &unroutable).await.unwrap();
    outbox::insert(&mut conn, &[command()]).await.unwrap();
    let outbox = Outbox::new(db.pool.clone(), broker().await);
    assert_eq!(outbox.run_once().await.unwrap(), 1);
    assert_eq!(pending(&db.pool).await, 300);
    assert_eq!(outbox.run_once().await.unwrap(), 0);
}

#[tokio::test]
async fn a_duplicate_gets_the_stored_reply_and_another_body_is_a_conflict() {
    let db = database().await;
    let mut conn = db.pool.acquire().await.unwrap();
    let sent = command();
    let message = Incoming {
        id: sent.id,
        kind: sent.kind,
        queue: sent.queue,
        correlation_id: sent.correlation_id,
        reply_to: sent.reply_to,
        body: b"{}".to_vec(),
        attempt: 1,
        death_reason: None,
        trace: TraceContext::default(),
    };
    assert_eq!(inbox::begin(&mut conn, &message).await.unwrap(), inbox::Seen::New);
    assert_eq!(
        inbox::begin(&mut conn, &message).await.unwrap(),
        inbox::Seen::Duplicate { reply: None }
    );
    let reply = Outgoing::reply(&message, saga::Outcome::Done);
    inbox::answer(&mut conn, message.id, &reply).await.unwrap();
    let sent: Vec<Uuid> = sqlx::query_scalar("SELECT message_id FROM outbox")
        .fetch_all(&mut *conn)
        .await
        .unwrap();
    assert_eq!(sent, [reply.id]);
    assert_eq!(
        inbox::begin(&mut conn, &message).await.unwrap(),
        inbox::Seen::Duplicate { reply: Some(reply) }
    );
    let other = Incoming {
        body: b"[]".to_vec(),
        ..message
    };
    assert_eq!(
        inbox::begin(&mut conn, &other).await.unwrap(),
        inbox::Seen::Conflict
    );
}
