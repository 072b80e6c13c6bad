//! Runs cleanup work periodically in the background.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

const PERIOD: Duration = Duration::from_hours(1);

/// Runs `work` now and then every hour until `shutdown`. Every replica does this, so `work` must be idempotent and safe to
/// run concurrently. A failure is logged, and `work` runs again in the next hour.
pub async fn hourly<F>(shutdown: CancellationToken, work: impl Fn() -> F)
where
    F: Future<Output = sqlx::Result<()>>,
{
    loop {
        if let Err(error) = work().await {
            tracing::warn!(%error, "housekeeping failed; will retry in 1 h");
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
