//! The PostgreSQL pool, with the settings that keep one bad request from hurting the next, and database errors as
//! problems.

use std::{error::Error, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, gauge::ConstGauge},
};
use sqlx::{
    Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{FieldError, Problem};

/// A connection that was idle for longer is asked whether it still works before it is used.
const TRUSTED_FOR: Duration = Duration::from_millis(500);

/// A pool of at most `max` connections that connects when first used: a database that is away makes requests fail with
/// 503, not the process.
pub fn pool(url: &str, max: u32) -> Result<PgPool, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.options([
        ("statement_timeout", "5000"),
        ("lock_timeout", "4000"),
        // Also ends what a `begin` that is dropped half-way leaves open. No handler and no worker drops one: they run to
        // their end, see `detached`.
        ("idle_in_transaction_session_timeout", "10000"),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(max)
        // Opening a connection takes longer than most statements; a burst must not have to open all of them at once.
        .min_connections(max / 2)
        .acquire_timeout(Duration::from_secs(3))
        // Heard by the telemetry, which measures the waits.
        .acquire_time_level(log::LevelFilter::Debug)
        // Asking a connection that was in use a moment ago whether it still works would double the round trips.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for < TRUSTED_FOR {
                    return Ok(true);
                }
                connection.ping().await.map(|()| true)
            })
        })
        .connect_lazy_with(options))
}

/// Shows on `/metrics` how much of the process's pools is in use; once a process, with all it has.
pub fn observe<const N: usize>(pools: [(&'static str, &PgPool); N]) {
    let pools = pools.map(|(name, pool)| (name, pool.clone()));
    telemetry::metrics::registry().register_collector(Box::new(Pools(pools.into())));
}

#[derive(Debug)]
struct Pools(Vec<(&'static str, PgPool)>);

impl Collector for Pools {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let help = "Connections to the database";
        let name = "db_client_connection_count";
        let mut counts = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (name, pool) in &self.0 {
            let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
            let used = pool.size().saturating_sub(idle);
            for (state, count) in [("used", used), ("idle", idle)] {
                let labels = [("pool", *name), ("state", state)];
                ConstGauge::new(i64::from(count)).encode(counts.encode_family(&labels)?)?;
            }
        }
        let help = "Connections to the database at most";
        let name = "db_client_connection_max";
        let mut most = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (name, pool) in &self.0 {
            let max = i64::from(pool.options().get_max_connections());
            ConstGauge::new(max).encode(most.encode_family(&[("pool", *name)])?)?;
        }
        Ok(())
    }
}

/// Whether the database, rather than the statement, is the trouble: a later attempt can succeed.
#[must_use]
pub fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Connection exceptions, too many connections, operator intervention (shutdown, cancelled by timeout), lock not
        // available, and transactions that lost a race: classes 08, 53, 57, 55P03, 40.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            ["08", "53", "57", "40"]
                .iter()
                .any(|class| code.starts_with(class))
                || code == "55P03"
        }),
        _ => false,
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        // No connection became free in time: more requests came than the pool has connections for.
        if matches!(error, sqlx::Error::PoolTimedOut) {
            tracing::warn!("no database connection became free in time");
            return Self::overloaded(
                "The service has too much to do at the moment. Try again in a second.",
                1,
            );
        }
        if is_away(&error) {
            tracing::warn!(error = &error as &dyn Error, "the database is away");
            return Self::unavailable("The database is not available at the moment.");
        }
        // PostgreSQL's text cannot hold U+0000; everything else that a client sends is checked before.
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        if code.is_some_and(|code| code == "22021" || code == "22P05") {
            return Self::invalid(vec![FieldError::new("", "must not contain the character U+0000")]);
        }
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_without_a_free_connection_is_overload_and_a_lost_connection_is_not() {
        let kind = |error| Problem::from(error).kind();
        assert_eq!(kind(sqlx::Error::PoolTimedOut), "overloaded");
        let lost = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(kind(sqlx::Error::Io(lost)), "unavailable");
    }
}
