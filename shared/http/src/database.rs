//! Creates the PostgreSQL pool, with time limits that keep one slow request from blocking others, and maps database errors
//! to problems.

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

/// A connection that was idle for longer than this is pinged before it is used.
const PING_AFTER: Duration = Duration::from_millis(500);

/// Creates a pool of `size` connections, which are opened in the background. While the database is unavailable, requests
/// fail with 503, but the process keeps running.
pub fn pool(url: &str, size: u32) -> Result<PgPool, sqlx::Error> {
    Ok(connect_lazily(url.parse()?, size))
}

/// Like [`pool`], but PostgreSQL plans each statement only once per connection. For services whose statements have one good
/// plan for all parameters: PostgreSQL would otherwise plan long statements at every execution, because its estimate for
/// the generic plan is slightly higher.
pub fn pool_with_generic_plans(url: &str, size: u32) -> Result<PgPool, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    Ok(connect_lazily(
        options.options([("plan_cache_mode", "force_generic_plan")]),
        size,
    ))
}

fn connect_lazily(options: PgConnectOptions, size: u32) -> PgPool {
    let options = options.options([
        ("statement_timeout", "5000"),
        ("lock_timeout", "4000"),
        // A safety net for a transaction whose future is dropped before it ends. Handlers and workers avoid this by running
        // to completion, see `detached`.
        ("idle_in_transaction_session_timeout", "10000"),
    ]);
    PgPoolOptions::new()
        .max_connections(size)
        // All connections are opened in advance and kept, because a new one is slow at first: PostgreSQL starts a process for
        // it and fills that process's caches. When a burst opened them, requests waited for seconds. With a lifetime or an
        // idle timeout, sqlx would open the connections of a lazy pool only when requests need them.
        .min_connections(size)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(Duration::from_secs(3))
        // The telemetry crate measures waiting times from these log events.
        .acquire_time_level(log::LevelFilter::Debug)
        // Pinging before every use would double the round trips. `before_acquire` pings only idle connections.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for < PING_AFTER {
                    return Ok(true);
                }
                connection.ping().await.map(|()| true)
            })
        })
        .connect_lazy_with(options)
}

/// Registers metrics of the connection pools, each labelled with its name. Call it once per process, with all pools.
pub fn observe<const N: usize>(pools: [(&'static str, &PgPool); N]) {
    let pools = pools.map(|(name, pool)| (name, pool.clone()));
    telemetry::metrics::registry().register_collector(Box::new(Pools(pools.into())));
}

#[derive(Debug)]
struct Pools(Vec<(&'static str, PgPool)>);

impl Collector for Pools {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let help = "Open database connections by pool and state";
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
        let help = "Maximum number of database connections by pool";
        let name = "db_client_connection_max";
        let mut most = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (name, pool) in &self.0 {
            let max = i64::from(pool.options().get_max_connections());
            ConstGauge::new(max).encode(most.encode_family(&[("pool", *name)])?)?;
        }
        Ok(())
    }
}

/// Whether the error is caused by the state of the database rather than by the statement, so that a retry can succeed.
#[must_use]
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // SQLSTATE 08: connection exception; 53: insufficient resources; 57: operator intervention, such as a shutdown or a
        // statement timeout; 40: transaction rollback, such as a serialization failure; 55P03: lock not available.
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
        // There are more concurrent requests than the pool has connections for.
        if matches!(error, sqlx::Error::PoolTimedOut) {
            tracing::warn!("no database connection became available in time; answering 503");
            return Self::overloaded("The service is overloaded. Try again in a second.", 1);
        }
        if is_unavailable(&error) {
            tracing::warn!(
                error = &error as &dyn Error,
                "the database is unavailable; answering 503"
            );
            return Self::unavailable("The database is temporarily unavailable. Try again in a few seconds.");
        }
        // PostgreSQL cannot store U+0000 in text. This is the only client input that is not validated before the statement.
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
    fn pool_timeout_is_overloaded_and_lost_connection_is_unavailable() {
        let kind = |error| Problem::from(error).kind();
        assert_eq!(kind(sqlx::Error::PoolTimedOut), "overloaded");
        let lost = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(kind(sqlx::Error::Io(lost)), "unavailable");
    }
}
