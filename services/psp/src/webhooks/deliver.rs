//! Delivers events to the merchant until it acknowledges them, with growing delays between attempts. In demo mode, a
//! deterministic share of the events is delivered late or twice, as happens with real providers.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use souk_config::{ExposeSecret, SecretString};
use sqlx::PgPool;
use telemetry::TraceContext;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::signature;
use crate::{App, config::Config};

/// How often the outbox is polled when no notification arrives.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Maximum number of concurrent deliveries.
const BATCH_SIZE: usize = 20;
/// Number of attempts (spread over about a day) after which an event is abandoned.
const MAX_ATTEMPTS: i32 = 30;

/// Background worker that delivers events. Several replicas may run it.
#[derive(Debug)]
pub struct Deliverer {
    pool: PgPool,
    client: reqwest::Client,
    url: String,
    secret: SecretString,
    demo: bool,
    event_written: Arc<Notify>,
}

struct Delivery {
    id: i64,
    event_id: String,
    body: String,
    attempts: i32,
    trace: TraceContext,
    age: Duration,
}

impl Deliverer {
    /// Creates a worker for the events of `app`; fails if the HTTP client cannot be set up.
    pub fn new(app: &App, config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            pool: app.pool.clone(),
            client: reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(1))
                .timeout(Duration::from_secs(5))
                .build()?,
            url: config.webhook_url.clone(),
            secret: config.webhook_secret.clone(),
            demo: config.demo,
            event_written: app.event_written.clone(),
        })
    }

    /// Delivers events until `shutdown`, then makes one last attempt for those that are due.
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            match self.run_once().await {
                // After a full batch, more deliveries may be due.
                Ok(BATCH_SIZE) => {}
                Ok(_) => {
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        () = self.event_written.notified() => {}
                        () = tokio::time::sleep(POLL_INTERVAL) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot read or update webhook deliveries; will retry in 0.5 s"
                    );
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
            }
        }
        // Deliveries that fail now are retried by another replica or after the next start.
        if let Err(error) = self.run_once().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot read or update webhook deliveries at shutdown"
            );
        }
    }

    /// Attempts the deliveries that are due, at most 20, and returns their number.
    pub async fn run_once(&self) -> sqlx::Result<usize> {
        let due = self.claim().await?;
        let count = due.len();
        let attempts = due.into_iter().map(|delivery| async move {
            let span = delivery.trace.follow(delivery.age, || {
                tracing::info_span!(
                    "deliver webhook",
                    event_id = delivery.event_id,
                    attempt = delivery.attempts
                )
            });
            self.deliver(delivery).instrument(span).await
        });
        for result in futures::future::join_all(attempts).await {
            result?;
        }
        Ok(count)
    }

    /// Claims due deliveries for 30 seconds; if this process dies meanwhile, another attempt follows after that.
    async fn claim(&self) -> sqlx::Result<Vec<Delivery>> {
        let rows = sqlx::query!(
            r#"UPDATE webhook_outbox SET attempts = attempts + 1, due_at = now() + interval '30 seconds'
             WHERE id IN (SELECT id FROM webhook_outbox WHERE given_up_at IS NULL AND due_at <= now()
                          ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
             RETURNING id, event_id, body, attempts, traceparent, tracestate,
                 extract(epoch FROM now() - created_at)::float8 AS "age!""#,
            i64::try_from(BATCH_SIZE).unwrap_or(i64::MAX)
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Delivery {
                id: row.id,
                event_id: row.event_id,
                body: row.body,
                attempts: row.attempts,
                trace: TraceContext {
                    traceparent: row.traceparent,
                    tracestate: row.tracestate,
                },
                age: Duration::try_from_secs_f64(row.age).unwrap_or_default(),
            })
            .collect())
    }

    async fn deliver(&self, delivery: Delivery) -> sqlx::Result<()> {
        // Demo mode: every fifth event is delivered three seconds late, out of order.
        if self.demo && delivery.attempts == 1 && delivery.id % 5 == 0 {
            return self.reschedule(delivery.id, 3.0).await;
        }
        let header = signature::header(
            self.secret.expose_secret(),
            Utc::now().timestamp(),
            &delivery.body,
        );
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("souk-signature", header)
            .body(delivery.body);
        match telemetry::http::send(&self.client, request).await {
            Ok(response) if response.status().is_success() => {
                // Demo mode: every fourth event is delivered twice.
                if self.demo && delivery.attempts == 1 && delivery.id % 4 == 0 {
                    return self.reschedule(delivery.id, 1.0).await;
                }
                sqlx::query!("DELETE FROM webhook_outbox WHERE id = $1", delivery.id)
                    .execute(&self.pool)
                    .await
                    .map(|_| ())
            }
            failed => {
                let status = failed.as_ref().ok().map(|response| response.status().as_u16());
                // Half a second, doubling, at most an hour.
                let delay = (0.5 * f64::from(delivery.attempts.clamp(1, 13) - 1).exp2()).min(3600.0);
                let (event_id, attempts) = (delivery.event_id, delivery.attempts);
                if attempts < MAX_ATTEMPTS {
                    tracing::warn!(
                        status,
                        event_id,
                        attempts,
                        "webhook delivery failed; will retry in {delay} s"
                    );
                } else {
                    tracing::error!(
                        status,
                        event_id,
                        attempts,
                        "webhook delivery failed; giving up on the event"
                    );
                }
                self.reschedule(delivery.id, delay).await
            }
        }
    }

    /// Schedules another attempt, unless the event has used up its attempts.
    async fn reschedule(&self, id: i64, seconds: f64) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE webhook_outbox SET due_at = now() + make_interval(secs => $2),
                 given_up_at = CASE WHEN attempts >= $3 THEN now() END
             WHERE id = $1",
            id,
            seconds,
            MAX_ATTEMPTS
        )
        .execute(&self.pool)
        .await
        .map(|_| ())
    }
}
