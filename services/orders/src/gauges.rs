//! Metrics of sagas and dead letters. The gauges are counted in the database every few seconds, so every replica reports the
//! same values: aggregate them with `max`, not with `sum`.

use std::time::Duration;

use sqlx::PgPool;
use telemetry::metrics::{Counter, Gauge};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::saga::{checkout, engine::At, table::Saga};

/// Interval between two counts.
const INTERVAL: Duration = Duration::from_secs(5);

static ENDED: Counter = Counter::counter(
    "saga",
    "Sagas that have completed, were compensated or were parked",
);
static ACTIVE: Gauge = Gauge::gauge("saga_active", "Sagas that are running or compensating");
static COMPENSATING: Gauge = Gauge::gauge("saga_compensating", "Sagas that are compensating");
static WAITING: Gauge = Gauge::gauge(
    "saga_waiting",
    "Checkouts that wait because too many others are in flight",
);
static REFUSED: Counter = Counter::counter(
    "orders_refused",
    "Orders that were refused because too many checkouts were waiting",
);
static PARKED: Gauge = Gauge::gauge("saga_parked", "Sagas that wait for an operator");
static OLDEST: Gauge = Gauge::gauge(
    "saga_oldest_active_age_seconds",
    "Age of the oldest saga that is running or compensating",
);
static UNANSWERED: Gauge = Gauge::gauge(
    "saga_compensations_unanswered",
    "Compensating sagas whose current command was sent three times or more",
);
static DEAD_LETTERS: Gauge = Gauge::gauge(
    "dead_letters",
    "Dead letters that are neither redriven, deleted nor superseded",
);

/// Counts a saga that has moved to `at`, if it has ended there or is parked.
pub(crate) fn record_transition(saga: &Saga, at: At) {
    if !matches!(at, At::Active(_)) {
        ENDED
            .of([("saga", saga.name), ("outcome", at.status().as_str())])
            .inc();
    }
}

/// Counts an order that was refused for overload.
pub(crate) fn record_refusal() {
    REFUSED.of([]).inc();
}

/// Updates the gauges until `shutdown`.
pub(crate) async fn run(pool: PgPool, shutdown: CancellationToken) {
    REFUSED.of([]);
    for saga in checkout::ALL {
        for outcome in ["completed", "compensated", "parked"] {
            ENDED.of([("saga", saga.name), ("outcome", outcome)]);
        }
    }
    loop {
        if let Err(error) = count(&pool).await {
            warn!(%error, "counting sagas failed; the gauges keep their values until the next count");
        }
        if shutdown
            .run_until_cancelled(tokio::time::sleep(INTERVAL))
            .await
            .is_none()
        {
            return;
        }
    }
}

async fn count(pool: &PgPool) -> sqlx::Result<()> {
    // Filtered by status, so that the partial index finds the few active sagas.
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
