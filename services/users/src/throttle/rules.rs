//! Who must wait before a password is checked, and for how long.
//!
//! - Five failures in a row from one source block this source for a minute, each further one twice as long, up to a
//!   quarter of an hour. A day without a failure forgets them.
//! - Five failures from all addresses together make every address wait once before each attempt: a minute for every five
//!   failures, up to a quarter of an hour. After the wait the next attempt is checked, whatever other addresses do
//!   meanwhile, so nobody can keep the owner out.
//! - A known device and a session wait only for their own failures.

use chrono::{DateTime, Duration, Utc};

/// So many failures are free.
const FREE: i32 = 5;
const LONGEST: Duration = Duration::minutes(15);

/// What is stored about a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) failures: i32,
    pub(super) last_at: DateTime<Utc>,
    /// Until when it must wait. A time in the past means that it has waited, and the next attempt is checked.
    pub(super) blocked_until: Option<DateTime<Utc>>,
}

/// What happens to an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The source is blocked; nothing changes.
    Refuse(DateTime<Utc>),
    /// The source has to wait first; store this.
    Wait(Counted, DateTime<Utc>),
    /// Check the password; store this, in which the attempt counts as failed.
    Check(Counted),
}

/// Decides about an attempt at an account with that many `failures` from addresses.
pub(super) fn decide(
    failures: i32,
    source: Option<Counted>,
    is_trusted: bool,
    now: DateTime<Utc>,
) -> Decision {
    let source = source.filter(|source| source.last_at > now - Duration::days(1));
    let blocked_until = source.and_then(|source| source.blocked_until);
    if let Some(until) = blocked_until.filter(|until| *until > now) {
        return Decision::Refuse(until);
    }
    let counted = |failures, blocked_until| Counted {
        failures,
        last_at: now,
        blocked_until,
    };
    let own = source.map_or(0, |source| source.failures);
    let guard = |failures| if is_trusted { None } else { guard_delay(failures) };
    if let (Some(delay), None) = (guard(failures), blocked_until) {
        return Decision::Wait(counted(own, Some(now + delay)), now + delay);
    }
    let own = own.saturating_add(1).min(1000);
    let delay = source_delay(own).max(guard(failures.saturating_add(1)));
    Decision::Check(counted(own, delay.map(|delay| now + delay)))
}

/// How long a source waits after so many failures of its own.
fn source_delay(failures: i32) -> Option<Duration> {
    let further = u32::try_from(failures - FREE).ok()?;
    let minutes = 1_i64.checked_shl(further.min(4))?;
    Some(Duration::minutes(minutes).min(LONGEST))
}

/// How long an address waits when there were so many failures from all of them.
fn guard_delay(failures: i32) -> Option<Duration> {
    (failures >= FREE).then(|| Duration::minutes(i64::from(failures / FREE)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::days(1000) + Duration::minutes(minutes)
    }

    fn counted(failures: i32, last_at: i64, blocked_until: Option<i64>) -> Counted {
        Counted {
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
    fn five_failures_from_anywhere_make_a_new_address_wait_and_a_known_device_not() {
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
            "the fifth is checked, and its address waits before the sixth"
        );
    }

    #[test]
    fn an_address_that_has_waited_is_checked_whatever_others_did_meanwhile() {
        let waited = counted(0, -1, Some(0));
        assert_eq!(
            decide(1000, Some(waited), false, at(0)),
            Decision::Check(counted(1, 0, Some(15)))
        );
    }
}
