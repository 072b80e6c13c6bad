//! Publishing in rounds until the process ends, whatever the events wait in.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often to look for new events. Nothing that a shopper waits for goes through here.
const POLL: Duration = Duration::from_millis(250);
/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What publishes a batch at a time.
pub trait Rounds: Send {
    /// Publishes a batch and returns how many events it had.
    fn round(&mut self) -> impl Future<Output = anyhow::Result<usize>> + Send;
}

/// Publishes to `topic` until `shutdown`: at once again while there may be more, with growing pauses while it fails. One
/// line is logged when failing begins and one when it is over.
pub async fn run(topic: &'static str, mut rounds: impl Rounds, shutdown: CancellationToken) {
    let mut pause = PAUSE;
    let mut waits = false;
    while !shutdown.is_cancelled() {
        let next = match rounds.round().await {
            Ok(published) => {
                if waits {
                    info!(topic, "events are published again");
                }
                (waits, pause) = (false, PAUSE);
                if published > 0 { Duration::ZERO } else { POLL }
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
}
