//! Delivers events until the receiver acknowledges them: soon, then again with growing pauses. In demo mode a
//! deterministic share comes late or twice, as with real providers.

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

/// How often the outbox is looked at without being told.
const POLL: Duration = Duration::from_millis(500);
/// Deliveries that are tried side by side.
const BATCH: usize = 20;
/// After so many attempts (about a day) an event is given up.
const ATTEMPTS: i32 = 30;

/// The worker.
#[derive(Debug)]
pub struct Deliverer {
    pool: PgPool,
    client: reqwest::Client,
    url: String,
    secret: SecretString,
    mischief: bool,
    wake: Arc<Notify>,
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
    /// For the events of `app`.
    pub fn new(app: &App, config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            pool: app.pool.clone(),
            client: reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(1))
                .timeout(Duration::from_secs(5))
                .build()?,
            url: config.webhook_url.clone(),
            secret: config.webhook_secret.clone(),
            mischief: config.demo,
            wake: app.event_written.clone(),
        })
    }

    /// Delivers until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            match self.run_once().await {
                // After a full batch more deliveries may be due.
                Ok(BATCH) => {}
                Ok(_) => {
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep(POLL) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot read the events");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
        // Each delivery that is due is tried once more; what fails waits for the next process.
        if let Err(error) = self.run_once().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "cannot read the events");
        }
    }

    /// Tries every delivery that is due, at most [`BATCH`]; how many there were.
    pub async fn run_once(&self) -> sqlx::Result<usize> {
        let due = self.claim().await?;
        let count = due.len();
        let tries = due.into_iter().map(|delivery| async move {
            let span = delivery.trace.follow(delivery.age, || {
                tracing::info_span!(
                    "deliver webhook",
                    event_id = delivery.event_id,
                    attempt = delivery.attempts
                )
            });
            self.deliver(delivery).instrument(span).await
        });
        for result in futures::future::join_all(tries).await {
            result?;
        }
        Ok(count)
    }

    /// Takes what is due for half a minute: if this process dies, another tries again.
    async fn claim(&self) -> sqlx::Result<Vec<Delivery>> {
        let rows = sqlx::query!(
            r#"UPDATE webhook_outbox SET attempts = attempts + 1, due_at = now() + interval '30 seconds'
             WHERE id IN (SELECT id FROM webhook_outbox WHERE given_up_at IS NULL AND due_at <= now()
                          ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
             RETURNING id, event_id, body, attempts, traceparent, tracestate,
                 extract(epoch FROM now() - created_at)::float8 AS "age!""#,
            i64::try_from(BATCH).unwrap_or(i64::MAX)
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
        if self.mischief && delivery.attempts == 1 && delivery.id % 5 == 0 {
            return self.again(delivery.id, 3.0).await;
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
            Ok(answer) if answer.status().is_success() => {
                if self.mischief && delivery.attempts == 1 && delivery.id % 4 == 0 {
                    return self.again(delivery.id, 1.0).await;
                }
                sqlx::query!("DELETE FROM webhook_outbox WHERE id = $1", delivery.id)
                    .execute(&self.pool)
                    .await
                    .map(|_| ())
            }
            refused => {
                let status = refused.as_ref().ok().map(|answer| answer.status().as_u16());
                tracing::warn!(status, attempts = delivery.attempts, "a webhook was not taken");
                // Half a second, doubling, at most an hour.
                let pause = 0.5 * f64::from(delivery.attempts.clamp(1, 13) - 1).exp2();
                self.again(delivery.id, pause.min(3600.0)).await
            }
        }
    }

    async fn again(&self, id: i64, seconds: f64) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE webhook_outbox SET due_at = now() + make_interval(secs => $2),
                 given_up_at = CASE WHEN attempts >= $3 THEN now() END
             WHERE id = $1",
            id,
            seconds,
            ATTEMPTS
        )
        .execute(&self.pool)
        .await
        .map(|_| ())
    }
}
