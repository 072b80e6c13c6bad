//! Overload protection. A bounded number of checkouts are in flight; later ones wait for a free place, oldest first, and
//! when that wait grows too long, new orders are refused. So the participants' queues stay short, few commands outlive
//! their deadline in one, and compensations, which need no place, run before new work (docs/adr/0013).

use sqlx::PgConnection;

use crate::{error::Error, gauges};

/// Checkouts in flight at once, over all replicas. Enough to keep every participant's consumers busy; each command more
/// would only wait in a queue.
pub(super) const IN_FLIGHT: i64 = 64;
/// A saga whose command was sent more often than this is stuck rather than in flight, and gives its place to others.
pub(super) const STUCK_AFTER: i32 = 8;
/// Checkouts in flight and waiting, together: what the slowest machine that we know confirms within a deadline.
const LIVE_LIMIT: i64 = 512;
/// How long the oldest waiting checkout may have waited before new orders are refused, in seconds.
const LONGEST_WAIT_SECONDS: f64 = 30.0;

/// How busy the checkouts are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Sagas in flight and waiting.
    pub(crate) live: i64,
    /// Age of the oldest checkout that waits for a place, in seconds; 0 when none waits.
    pub(crate) waited_seconds: f64,
}

impl Load {
    /// Refuses a new order that could not be checked out in time.
    pub(crate) fn admit(self) -> Result<(), Error> {
        if self.live >= LIVE_LIMIT || self.waited_seconds >= LONGEST_WAIT_SECONDS {
            gauges::refused();
            return Err(Error::Overloaded);
        }
        Ok(())
    }
}

/// Reads the load, over all replicas.
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
        assert!(admits(LIVE_LIMIT - 1, LONGEST_WAIT_SECONDS - 0.1));
        assert!(!admits(LIVE_LIMIT, 0.0));
        assert!(!admits(1, LONGEST_WAIT_SECONDS));
    }
}
