//! Decides whether an attempt must wait before its password is verified, and how long.
//!
//! - Five consecutive failures block a source for one minute. Each further failure doubles the time, up to 15 minutes. A day
//!   without failures resets the count.
//! - Five failures from all network addresses together make every address wait before each attempt: one minute for every
//!   five failures, up to 15 minutes. After the wait, the next attempt is verified even if other addresses have failed in
//!   the meantime, so no client can lock the owner out.
//! - Known devices and sessions wait only for their own failures.

use chrono::{DateTime, Duration, Utc};

/// Number of failures from which on a source or an account is throttled.
const THRESHOLD: i32 = 5;
/// Longest time that a source must wait.
const MAX_DELAY: Duration = Duration::minutes(15);

/// The stored failures of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SourceFailures {
    pub(super) failures: i32,
    pub(super) last_at: DateTime<Utc>,
    /// Time until which the source must wait. If it has passed, the next attempt is verified.
    pub(super) blocked_until: Option<DateTime<Utc>>,
}

/// The decision about an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The source is blocked until this time; nothing is stored.
    Refuse(DateTime<Utc>),
    /// The source must wait until this time first; store these failures.
    Wait(SourceFailures, DateTime<Utc>),
    /// Verify the password; store these failures, which include the attempt.
    Check(SourceFailures),
}

/// Decides about an attempt, given the account's `failures` from all network addresses and the stored failures of its
/// source.
pub(super) fn decide(
    failures: i32,
    source: Option<SourceFailures>,
    is_trusted: bool,
    now: DateTime<Utc>,
) -> Decision {
    let source = source.filter(|source| source.last_at > now - Duration::days(1));
    let blocked_until = source.and_then(|source| source.blocked_until);
    if let Some(until) = blocked_until.filter(|until| *until > now) {
        return Decision::Refuse(until);
    }
    let counted = |failures, blocked_until| SourceFailures {
        failures,
        last_at: now,
        blocked_until,
    };
    let own = source.map_or(0, |source| source.failures);
    let shared_delay = |failures| if is_trusted { None } else { account_delay(failures) };
    if let (Some(delay), None) = (shared_delay(failures), blocked_until) {
        return Decision::Wait(counted(own, Some(now + delay)), now + delay);
    }
    let own = own.saturating_add(1).min(1000);
    let delay = source_delay(own).max(shared_delay(failures.saturating_add(1)));
    Decision::Check(counted(own, delay.map(|delay| now + delay)))
}

/// How long a source must wait after this many failures of its own.
fn source_delay(failures: i32) -> Option<Duration> {
    let further = u32::try_from(failures - THRESHOLD).ok()?;
    let minutes = 1_i64.checked_shl(further.min(4))?;
    Some(Duration::minutes(minutes).min(MAX_DELAY))
}

/// How long a network address must wait after this many failures from all addresses.
fn account_delay(failures: i32) -> Option<Duration> {
    (failures >= THRESHOLD).then(|| Duration::minutes(i64::from(failures / THRESHOLD)).min(MAX_DELAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::days(1000) + Duration::minutes(minutes)
    }

    fn counted(failures: i32, last_at: i64, blocked_until: Option<i64>) -> SourceFailures {
        SourceFailures {
            failures,
            last_at: at(last_at),
            blocked_until: blocked_until.map(at),
        }
    }

    #[test]
    fn the_fifth_failure_of_a_source_blocks_it_for_longer_each_time() {
        for (failures, minutes) in [
            (3, None),
            (4, Some(1)),
            (5, Some(2)),
            (6, Some(4)),
            (7, Some(8)),
            (8, Some(15)),
            (999, Some(15)),
        ] {
            let source = counted(failures, -5, Some(-1));
            let expected = counted(failures + 1, 0, minutes);
            for is_trusted in [true, false] {
                assert_eq!(
                    decide(0, Some(source), is_trusted, at(0)),
                    Decision::Check(expected),
                    "{failures}"
                );
            }
        }
        let blocked = counted(5, -1, Some(1));
        assert_eq!(decide(0, Some(blocked), true, at(0)), Decision::Refuse(at(1)));
        let yesterday = counted(9, -24 * 60, Some(1));
        assert_eq!(
            decide(0, Some(yesterday), true, at(0)),
            Decision::Check(counted(1, 0, None))
        );
    }

    #[test]
    fn five_failures_from_anywhere_delay_new_addresses_but_not_known_devices() {
        for (failures, minutes) in [(5, 1), (9, 1), (10, 2), (74, 14), (75, 15), (1000, 15)] {
            assert_eq!(
                decide(failures, None, false, at(0)),
                Decision::Wait(counted(0, 0, Some(minutes)), at(minutes)),
                "{failures}"
            );
            assert_eq!(
                decide(failures, None, true, at(0)),
                Decision::Check(counted(1, 0, None))
            );
        }
        assert_eq!(
            decide(4, None, false, at(0)),
            Decision::Check(counted(1, 0, Some(1))),
            "the fifth attempt is verified, and its address must wait before the sixth"
        );
    }

    #[test]
    fn an_attempt_after_the_wait_is_verified_despite_failures_of_others() {
        let waited = counted(0, -1, Some(0));
        assert_eq!(
            decide(1000, Some(waited), false, at(0)),
            Decision::Check(counted(1, 0, Some(15)))
        );
    }
}
