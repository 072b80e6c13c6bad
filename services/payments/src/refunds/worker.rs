//! Goes on with refunds that whoever promised them did not finish: the provider was away, or the process died.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{settle, store};
use crate::App;

/// How often pending refunds are looked for.
const POLL: Duration = Duration::from_secs(1);

/// The worker.
#[derive(Debug)]
pub struct RefundWorker {
    app: App,
}

impl RefundWorker {
    /// Over the service's state.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app }
    }

    /// Works until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.run_once().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot look for pending refunds"
                );
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Tries each that is due, at most ten; how many there were.
    pub async fn run_once(&self) -> sqlx::Result<usize> {
        let due = store::claim_due(&mut *self.app.pool.acquire().await?).await?;
        for id in &due {
            if let Err(error) = settle(&self.app, *id).await {
                tracing::warn!(error = &error as &dyn std::error::Error, %id, "the refund stays pending");
            }
        }
        Ok(due.len())
    }
}
