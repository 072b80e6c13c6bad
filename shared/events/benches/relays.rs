//! Measures how many domain events per second one, two and three relays publish from one table. Only the relay that holds
//! the lock publishes, so more relays should bring nothing. Run it with `cargo xtask bench relays`.

use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use contracts::events::OrderEvent;
use events::{Brokers, Namespace, Relay};
use sqlx::{PgPool, migrate::Migrator};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The events are those of orders, read through its view.
static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/orders");

/// Events that wait at the start of a measurement.
const EVENTS: u32 = 10_000;
/// Each number of relays is measured this often, in turns. The median counts.
const ROUNDS: usize = 5;
const RELAYS: [usize; 3] = [1, 2, 3];
/// The longest time that one measurement may take.
const LONG: Duration = Duration::from_mins(2);

#[tokio::main]
async fn main() -> Result<()> {
    let pool = testkit::postgres::database(&MIGRATOR).await;
    let brokers = Brokers(testkit::kafka::brokers());
    let namespace = testkit::namespace();
    events::topics::create(&brokers, &namespace)
        .await
        .context("topics")?;
    let mut rates = RELAYS.map(|_| vec![]);
    for _ in 0..ROUNDS {
        for (rates, relays) in rates.iter_mut().zip(RELAYS) {
            rates.push(measure(&pool.pool, &brokers, &namespace, relays).await?);
        }
    }
    writeln!(
        io::stdout(),
        "relays of one table    events/s (median)   all rounds"
    )?;
    for (mut rates, relays) in rates.into_iter().zip(RELAYS) {
        rates.sort_by(f64::total_cmp);
        let rounded: Vec<_> = rates.iter().map(|rate| rate.round()).collect();
        writeln!(
            io::stdout(),
            "{relays:19}   {:19.0}   {rounded:?}",
            rates[ROUNDS / 2]
        )?;
    }
    Ok(())
}

/// Publishes the waiting events with this many relays, and returns the events per second of all together.
async fn measure(pool: &PgPool, brokers: &Brokers, namespace: &Namespace, relays: usize) -> Result<f64> {
    let relays: Vec<_> = (0..relays)
        .map(|_| Relay::new::<OrderEvent>(pool.clone(), brokers, namespace))
        .collect();
    // The first batch of a relay also connects it to Kafka.
    for relay in &relays {
        write(pool, 1).await?;
        testkit::eventually("the relay is connected", LONG, async || {
            relay.run_once().await.ok().filter(|published| *published > 0)
        })
        .await;
    }
    write(pool, EVENTS).await?;
    let (stop, mut running, started) = (CancellationToken::new(), JoinSet::new(), Instant::now());
    for relay in relays {
        running.spawn(relay.run(stop.clone()));
    }
    testkit::eventually("all events are published", LONG, async || {
        let pending = "SELECT max(id) > (SELECT id FROM event_cursor) FROM order_events";
        let pending: bool = sqlx::query_scalar(pending).fetch_one(pool).await.ok()?;
        (!pending).then_some(())
    })
    .await;
    let took = started.elapsed();
    stop.cancel();
    running.join_all().await;
    Ok(f64::from(EVENTS) / took.as_secs_f64())
}

/// Writes events of one order each ten, in one transaction.
async fn write(pool: &PgPool, events: u32) -> Result<()> {
    sqlx::query(
        "WITH placed AS (
             INSERT INTO orders (id, user_id, status, payment_id, payment_method, payment_status, fulfilment_status, amount,
                 currency, shipping_address)
             SELECT gen_random_uuid(), gen_random_uuid(), 'pending', gen_random_uuid(), 'pm_card_ok', 'pending',
                 'unfulfilled', 1, 'EUR', '{}'
             FROM generate_series(1, ($1 + 9) / 10)
             RETURNING id)
         INSERT INTO order_events (order_id, type, data)
         SELECT id, 'stock_reserved', '{}' FROM placed, generate_series(1, least($1, 10))",
    )
    .bind(i32::try_from(events)?)
    .execute(pool)
    .await?;
    sqlx::query("VACUUM ANALYZE order_events").execute(pool).await?;
    Ok(())
}
