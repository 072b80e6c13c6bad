//! Polls for a condition with a timeout.

use std::time::{Duration, Instant};

/// Interval between two calls of the probe.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Calls `probe` repeatedly until it returns a value.
///
/// # Panics
/// If it returns none within `timeout`. The message contains `what`, a description of the condition.
pub async fn eventually<T>(what: &str, timeout: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(started.elapsed() < timeout, "timed out after {timeout:?}: {what}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
