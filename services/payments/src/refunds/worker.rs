//! Completes refunds that were not settled by the request or command that created them, because the provider was
//! unavailable or the process died.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{settle, store};
use crate::App;

/// How often the database is polled for pending refunds.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Background worker that settles pending refunds. Every replica may run it.
#[derive(Debug)]
pub struct RefundWorker {
    app: App,
}

impl RefundWorker {
    /// Creates a worker that uses the service's database and provider.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app }
    }

    /// Polls for pending refunds every second and settles them, until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.run_once().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot query pending refunds; will retry in 1 s"
                );
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
        }
    }

    /// Attempts to settle the refunds that are due, at most ten, and returns their number.
    pub async fn run_once(&self) -> sqlx::Result<usize> {
        let due = store::claim_due(&mut *self.app.pool.acquire().await?).await?;
        for id in &due {
            if let Err(error) = settle(&self.app, *id).await {
                tracing::warn!(error = &error as &dyn std::error::Error, %id, "cannot settle the refund; it stays pending and will be retried");
            }
        }
        Ok(due.len())
    }
}
