//! Measures how many rows per second one, two and three relays publish from one filled outbox. All relays share this process,
//! but each has its own connections to the database and the broker, like a replica. Run it with `cargo xtask bench relays`.

use std::{
    io::{self, Write as _},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use contracts::{CommandId, OrderId, SagaId, saga};
use futures::future::try_join_all;
use messaging::{Broker, Namespace, Outbox, Outgoing, outbox};
use sqlx::{PgPool, migrate::Migrator, postgres::PgPoolOptions};
use testkit::postgres::TestDatabase;

/// The outbox is the table of orders, with its indexes.
static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/orders");

/// Rows in the outbox at the start of a measurement.
const ROWS: usize = 10_000;
/// Each number of relays is measured this often, in turns. The median counts.
const ROUNDS: usize = 5;
const RELAYS: [usize; 3] = [1, 2, 3];

#[tokio::main]
async fn main() -> Result<()> {
    let database = testkit::postgres::database(&MIGRATOR).await;
    let mut rates = RELAYS.map(|_| vec![]);
    for _ in 0..ROUNDS {
        for (rates, relays) in rates.iter_mut().zip(RELAYS) {
            rates.push(measure(&database, relays).await?);
        }
    }
    writeln!(
        io::stdout(),
        "relays of one outbox   rows/s (median)   all rounds"
    )?;
    for (mut rates, relays) in rates.into_iter().zip(RELAYS) {
        rates.sort_by(f64::total_cmp);
        let rounded: Vec<_> = rates.iter().map(|rate| rate.round()).collect();
        writeln!(
            io::stdout(),
            "{relays:20}   {:15.0}   {rounded:?}",
            rates[ROUNDS / 2]
        )?;
    }
    Ok(())
}

/// Publishes a full outbox with this many relays, and returns the rows per second of all together.
async fn measure(database: &TestDatabase, relays: usize) -> Result<f64> {
    let namespace = testkit::namespace();
    let relays = try_join_all((0..relays).map(|_| relay(&database.url, &namespace))).await?;
    fill(&database.pool).await?;
    let started = Instant::now();
    // Spawned, so that relays run on several cores, as replicas do.
    let publishing = relays
        .into_iter()
        .map(|relay| tokio::spawn(async move { relay.run_once().await }));
    let mut published = 0;
    for relay in try_join_all(publishing).await? {
        published += relay?;
    }
    let took = started.elapsed();
    ensure!(published == ROWS, "{published} of {ROWS} rows were published");
    Ok(per_second(published, took))
}

/// Creates a relay that is connected to the database and the broker.
async fn relay(url: &str, namespace: &Namespace) -> Result<Outbox> {
    let pool = PgPoolOptions::new().max_connections(2).connect(url).await?;
    let broker: Arc<Broker> = Broker::connect(&testkit::amqp_url(), "orders", namespace.clone()).await?;
    broker.publish(&command()).await?;
    Ok(Outbox::new(pool, broker))
}

async fn fill(pool: &PgPool) -> Result<()> {
    let mut connection = pool.acquire().await?;
    let commands: Vec<_> = (0..ROWS).map(|_| command()).collect();
    for commands in commands.chunks(1_000) {
        outbox::insert(&mut connection, commands).await?;
    }
    sqlx::query("VACUUM ANALYZE outbox")
        .execute(&mut *connection)
        .await?;
    Ok(())
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

fn per_second(rows: usize, took: Duration) -> f64 {
    u32::try_from(rows).map_or(f64::INFINITY, f64::from) / took.as_secs_f64()
}
