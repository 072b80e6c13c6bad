//! Forgetting what has no use any more, beside the requests.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

const PERIOD: Duration = Duration::from_hours(1);

/// Does `work` now and every hour until `shutdown`. Every replica does, so it must be harmless to do twice; a failure is
/// logged, and the next hour tries again.
pub async fn hourly<F>(shutdown: CancellationToken, work: impl Fn() -> F)
where
    F: Future<Output = sqlx::Result<()>>,
{
    loop {
        if let Err(error) = work().await {
            tracing::warn!(%error, "cannot tidy up");
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
