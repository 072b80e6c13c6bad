//! Overload protection. The number of checkouts in flight is limited; later ones wait for a free place, oldest first, and when
//! that wait grows too long, new orders are refused. So the participants' queues stay short, few commands reach their deadline
//! in a queue, and compensations, which need no place, run before new work (docs/adr/0013).

use sqlx::PgConnection;

use crate::{error::Error, gauges};

/// Maximum number of checkouts in flight, over all replicas. It is enough to keep every participant's consumers busy; any
/// further command would only wait in a queue.
pub(super) const IN_FLIGHT: i64 = 64;
/// A saga whose current command was sent more often than this is stuck and does not count as in flight.
pub(super) const STUCK_AFTER: i32 = 8;
/// Maximum number of checkouts in flight and waiting together: the number that the slowest machine we have measured confirms
/// within a deadline.
const MAX_LIVE: i64 = 512;
/// New orders are refused once the oldest waiting checkout has waited this long, in seconds.
const MAX_WAIT_SECONDS: f64 = 30.0;

/// The current load of checkouts, over all replicas.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Number of sagas in flight and waiting, without those that are stuck.
    pub(crate) live: i64,
    /// Age of the oldest checkout that waits for a place, in seconds; 0 when none waits.
    pub(crate) waited_seconds: f64,
}

impl Load {
    /// Fails if a new order could not be checked out before its deadline.
    pub(crate) fn admit(self) -> Result<(), Error> {
        if self.live >= MAX_LIVE || self.waited_seconds >= MAX_WAIT_SECONDS {
            gauges::record_refusal();
            return Err(Error::Overloaded);
        }
        Ok(())
    }
}

/// Reads the current load from the database.
pub(crate) async fn load(conn: &mut PgConnection) -> sqlx::Result<Load> {
    sqlx::query_as!(
        Load,
        r#"SELECT count(*) AS "live!",
               coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE attempts = 0)), 0)::float8
                   AS "waited_seconds!"
           FROM sagas WHERE status IN ('running', 'compensating') AND attempts <= $1"#,
        STUCK_AFTER
    )
    .fetch_one(conn)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_when_too_many_are_live_or_the_oldest_has_waited_too_long() {
        let admits = |live, waited_seconds| Load { live, waited_seconds }.admit().is_ok();
        assert!(admits(0, 0.0));
        assert!(admits(MAX_LIVE - 1, MAX_WAIT_SECONDS - 0.1));
        assert!(!admits(MAX_LIVE, 0.0));
        assert!(!admits(1, MAX_WAIT_SECONDS));
    }
}
