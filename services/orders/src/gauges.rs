//! What the database says of the sagas and the dead letters, counted every few seconds for `/metrics`. Every replica sees
//! the same, so whoever looks takes the maximum.

use std::time::Duration;

use sqlx::PgPool;
use telemetry::metrics::{Counter, Gauge};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::saga::{checkout, engine::At, table::Saga};

/// Between two counts.
const PERIOD: Duration = Duration::from_secs(5);

static ENDED: Counter = Counter::counter("saga", "Sagas that ended, and that were parked");
static ACTIVE: Gauge = Gauge::gauge("saga_active", "Sagas that run or are undone");
static COMPENSATING: Gauge = Gauge::gauge("saga_compensating", "Sagas that are undone");
static WAITING: Gauge = Gauge::gauge("saga_waiting", "Checkouts that wait for a free place in flight");
static REFUSED: Counter = Counter::counter(
    "orders_refused",
    "Orders that were refused because too many checkouts were waiting",
);
static PARKED: Gauge = Gauge::gauge("saga_parked", "Sagas that wait for an operator");
static OLDEST: Gauge = Gauge::gauge(
    "saga_oldest_active_age_seconds",
    "Age of the oldest saga that runs or is undone",
);
static UNANSWERED: Gauge = Gauge::gauge(
    "saga_compensations_unanswered",
    "Compensations that were sent three times or more",
);
static DEAD_LETTERS: Gauge = Gauge::gauge("dead_letters", "Dead letters that nobody has dealt with");

/// Counts a saga that came to `at`, if it ends or rests there.
pub(crate) fn came_to(saga: &Saga, at: At) {
    if !matches!(at, At::Active(_)) {
        ENDED.of([("saga", saga.name), ("outcome", at.status())]).inc();
    }
}

/// Counts an order that was refused for overload.
pub(crate) fn refused() {
    REFUSED.of([]).inc();
}

/// Counts until `shutdown`.
pub(crate) async fn run(pool: PgPool, shutdown: CancellationToken) {
    REFUSED.of([]);
    for saga in checkout::ALL {
        for outcome in ["completed", "compensated", "parked"] {
            ENDED.of([("saga", saga.name), ("outcome", outcome)]);
        }
    }
    loop {
        if let Err(error) = count(&pool).await {
            warn!(%error, "the gauges stay as they are");
        }
        if shutdown
            .run_until_cancelled(tokio::time::sleep(PERIOD))
            .await
            .is_none()
        {
            return;
        }
    }
}

async fn count(pool: &PgPool) -> sqlx::Result<()> {
    // By status, so that the index finds the few that are alive.
    let now = sqlx::query!(
        r#"SELECT
               count(*) FILTER (WHERE status <> 'parked')::float8 AS "active!",
               count(*) FILTER (WHERE status = 'compensating')::float8 AS "compensating!",
               count(*) FILTER (WHERE status = 'running' AND attempts = 0)::float8 AS "waiting!",
               count(*) FILTER (WHERE status = 'parked')::float8 AS "parked!",
               count(*) FILTER (WHERE status = 'compensating' AND attempts >= 3)::float8 AS "unanswered!",
               coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE status <> 'parked')), 0)::float8
                   AS "oldest!",
               (SELECT count(*) FROM dead_letters WHERE settled_at IS NULL)::float8 AS "dead_letters!"
           FROM sagas WHERE status IN ('running', 'compensating', 'parked')"#
    )
    .fetch_one(pool)
    .await?;
    ACTIVE.of([]).set(now.active);
    COMPENSATING.of([]).set(now.compensating);
    WAITING.of([]).set(now.waiting);
    PARKED.of([]).set(now.parked);
    OLDEST.of([]).set(now.oldest);
    UNANSWERED.of([]).set(now.unanswered);
    DEAD_LETTERS.of([]).set(now.dead_letters);
    Ok(())
}
