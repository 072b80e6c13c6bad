//! Publishes batches in a loop until the process stops, from any kind of event store.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Interval at which to poll for new events. No shopper waits for these.
const POLL: Duration = Duration::from_millis(250);
/// The first delay after a failure, which doubles up to [`MAX_DELAY`].
const MIN_DELAY: Duration = Duration::from_millis(500);
const MAX_DELAY: Duration = Duration::from_secs(5);

/// Publishes one batch of events per call.
pub trait Rounds: Send {
    /// Number of events in a full batch. After a full batch the next one is published at once.
    const FULL: usize;

    /// Publishes a batch and returns its number of events, which is 0 if nothing is pending.
    fn round(&mut self) -> impl Future<Output = anyhow::Result<usize>> + Send;
}

/// How long to publish remaining events after a shutdown. The next process publishes the rest.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// Publishes to `topic` until `shutdown`, without delay after a full batch and with growing delays after failures. Only the
/// first of several failures and the recovery are logged. After `shutdown` it publishes the remaining events, for at most
/// five seconds and until the first failure.
pub async fn run<R: Rounds>(topic: &'static str, mut rounds: R, shutdown: CancellationToken) {
    let mut delay = MIN_DELAY;
    let mut is_failing = false;
    while !shutdown.is_cancelled() {
        let next = match rounds.round().await {
            Ok(published) => {
                if is_failing {
                    info!(topic, "publishing events has recovered");
                }
                (is_failing, delay) = (false, MIN_DELAY);
                if published >= R::FULL {
                    Duration::ZERO
                } else {
                    POLL
                }
            }
            Err(error) => {
                if !is_failing {
                    warn!(
                        topic,
                        error = format!("{error:#}"),
                        "publishing events failed; will retry"
                    );
                }
                is_failing = true;
                let current = delay;
                delay = (delay * 2).min(MAX_DELAY);
                current
            }
        };
        shutdown.run_until_cancelled(sleep(next)).await;
    }
    let end = Instant::now() + SHUTDOWN_LIMIT;
    while !is_failing && Instant::now() < end && matches!(rounds.round().await, Ok(1..)) {}
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// The results of publishing the pending batches, last one first.
    #[derive(Clone, Default)]
    struct Pending(Arc<Mutex<Vec<anyhow::Result<usize>>>>);

    impl Rounds for Pending {
        const FULL: usize = 1;

        async fn round(&mut self) -> anyhow::Result<usize> {
            self.0.lock().expect("no panic").pop().unwrap_or(Ok(0))
        }
    }

    async fn remaining_after(batches: Vec<anyhow::Result<usize>>) -> usize {
        let pending = Pending(Arc::new(Mutex::new(batches)));
        let stopped = CancellationToken::new();
        stopped.cancel();
        run("orders.v1", pending.clone(), stopped).await;
        pending.0.lock().expect("no panic").len()
    }

    #[tokio::test]
    async fn pending_events_are_published_after_a_shutdown() {
        assert_eq!(remaining_after(vec![Ok(1), Ok(2), Ok(3)]).await, 0);
    }

    #[tokio::test]
    async fn a_failure_after_a_shutdown_ends_publishing() {
        let down = || Err(anyhow::anyhow!("Kafka is down"));
        assert_eq!(remaining_after(vec![Ok(1), down(), down()]).await, 2);
    }
}
