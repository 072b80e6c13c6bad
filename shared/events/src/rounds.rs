//! Publishing in rounds until the process ends, whatever the events wait in.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often to look for new events. Nothing that a shopper waits for goes through here.
const POLL: Duration = Duration::from_millis(250);
/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What publishes a batch at a time.
pub trait Rounds: Send {
    /// Events of a batch after which more may wait; after fewer there is time.
    const FULL: usize;

    /// Publishes a batch and returns how many events it had.
    fn round(&mut self) -> impl Future<Output = anyhow::Result<usize>> + Send;
}

/// How long to publish what is there when the process ends. The rest waits for the next process.
const LAST_ROUNDS: Duration = Duration::from_secs(5);

/// Publishes to `topic` until `shutdown`: at once again after a full batch, with growing pauses while it fails. One
/// line is logged when failing begins and one when it is over. After `shutdown` it publishes what was written until then,
/// for at most five seconds and as long as nothing fails.
pub async fn run<R: Rounds>(topic: &'static str, mut rounds: R, shutdown: CancellationToken) {
    let mut pause = PAUSE;
    let mut waits = false;
    while !shutdown.is_cancelled() {
        let next = match rounds.round().await {
            Ok(published) => {
                if waits {
                    info!(topic, "events are published again");
                }
                (waits, pause) = (false, PAUSE);
                if published >= R::FULL {
                    Duration::ZERO
                } else {
                    POLL
                }
            }
            Err(error) => {
                if !waits {
                    warn!(topic, error = format!("{error:#}"), "events wait to be published");
                }
                waits = true;
                let now = pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                now
            }
        };
        shutdown.run_until_cancelled(sleep(next)).await;
    }
    let end = Instant::now() + LAST_ROUNDS;
    while !waits && Instant::now() < end && matches!(rounds.round().await, Ok(1..)) {}
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Batches that wait, and how publishing each of them ends.
    #[derive(Clone, Default)]
    struct Waiting(Arc<Mutex<Vec<anyhow::Result<usize>>>>);

    impl Rounds for Waiting {
        const FULL: usize = 1;

        async fn round(&mut self) -> anyhow::Result<usize> {
            self.0.lock().expect("no panic").pop().unwrap_or(Ok(0))
        }
    }

    async fn left_after(batches: Vec<anyhow::Result<usize>>) -> usize {
        let waiting = Waiting(Arc::new(Mutex::new(batches)));
        let stopped = CancellationToken::new();
        stopped.cancel();
        run("orders.v1", waiting.clone(), stopped).await;
        waiting.0.lock().expect("no panic").len()
    }

    #[tokio::test]
    async fn what_was_written_before_the_end_is_published() {
        assert_eq!(left_after(vec![Ok(1), Ok(2), Ok(3)]).await, 0);
    }

    #[tokio::test]
    async fn a_log_that_is_down_does_not_hold_up_the_end() {
        let down = || Err(anyhow::anyhow!("Kafka is down"));
        assert_eq!(left_after(vec![Ok(1), down(), down()]).await, 2);
    }
}
