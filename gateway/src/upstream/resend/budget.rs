//! A budget for requests that are sent again. Without one, retries would multiply the load of an upstream that fails
//! because it is overloaded.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::config::Share;

/// Number of seconds over which requests are counted.
const WINDOW: u8 = 10;
/// Number of resent requests that are allowed in each second, however few requests there are.
const FLOOR: u32 = 10;

/// Counts the requests of a route to an upstream, and those that were sent again.
#[derive(Debug)]
pub(super) struct Budget {
    share: Share,
    created: Instant,
    window: Mutex<Window>,
}

/// The counts of the last seconds. The index is the second modulo the number of counts.
#[derive(Debug, Default)]
struct Window {
    seconds: [Second; WINDOW as usize],
    /// The second that is being counted now.
    newest: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Second {
    requests: u32,
    resent: u32,
}

impl Budget {
    pub(super) fn new(share: Share) -> Self {
        Self {
            share,
            created: Instant::now(),
            window: Mutex::default(),
        }
    }

    /// Counts a request of which a share may be sent again.
    pub(super) fn count_request(&self) {
        self.with_window(|window, now| window.at(now).requests += 1);
    }

    /// Takes the permission to send a request again. Returns whether there was one.
    pub(super) fn withdraw(&self) -> bool {
        self.with_window(|window, now| window.withdraw(self.share, now))
    }

    fn with_window<T>(&self, action: impl FnOnce(&mut Window, Duration) -> T) -> T {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        action(&mut window, self.created.elapsed())
    }
}

impl Window {
    /// The counts of the current second, after removing those that have left the window.
    fn at(&mut self, now: Duration) -> &mut Second {
        let now = now.as_secs().max(self.newest);
        for second in self.newest + 1..=now.min(self.newest + u64::from(WINDOW)) {
            self.seconds[index(second)] = Second::default();
        }
        self.newest = now;
        &mut self.seconds[index(now)]
    }

    fn withdraw(&mut self, share: Share, now: Duration) -> bool {
        let in_this_second = self.at(now).resent;
        let (requests, resent) = (self.seconds.iter()).fold((0_u32, 0_u32), |(requests, resent), second| {
            (
                requests.saturating_add(second.requests),
                resent.saturating_add(second.resent),
            )
        });
        let elapsed =
            u32::from(WINDOW).min(u32::try_from(now.as_secs()).unwrap_or(u32::MAX).saturating_add(1));
        let is_below_floor = in_this_second < FLOOR && resent < FLOOR * elapsed;
        let is_allowed = is_below_floor || !share.is_exceeded(resent.saturating_add(1), requests);
        if is_allowed {
            self.at(now).resent += 1;
        }
        is_allowed
    }
}

fn index(second: u64) -> usize {
    usize::try_from(second % u64::from(WINDOW)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends requests of which all fail, and returns how many were sent again.
    fn outage(window: &mut Window, requests: u32, second: u64) -> u32 {
        let now = Duration::from_secs(second);
        (0..requests)
            .map(|_| {
                window.at(now).requests += 1;
                u32::from(window.withdraw(Share::FIFTH, now)) + u32::from(window.withdraw(Share::FIFTH, now))
            })
            .sum()
    }

    #[test]
    fn allows_a_fifth_of_recent_requests_but_at_least_ten_in_a_second() {
        let mut window = Window::default();
        assert_eq!(outage(&mut window, 1000, 0), 200);
        assert_eq!(outage(&mut window, 1000, 1), 200);
        assert_eq!(
            outage(&mut window, 100, 2),
            20,
            "the floor does not add to the share"
        );
        assert_eq!(
            outage(&mut window, 10, 100),
            10,
            "earlier requests have left the window"
        );
        assert_eq!(outage(&mut window, 10, 101), 10);
    }
}
