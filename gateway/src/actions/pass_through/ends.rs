//! The limits at which the gateway ends a call that neither its client nor its service has ended.

use std::{
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::message::{Activity, Problem};

/// The limits of a call. Each is optional.
#[derive(Debug)]
pub(super) struct Ends {
    /// The call ends at the deadline of the route or of the client.
    pub(super) deadline: Option<Instant>,
    /// The call ends after this time without data in either direction.
    pub(super) idle: Option<(Duration, Arc<Activity>)>,
    /// The call ends when the client's token expires.
    pub(super) expires: Option<Instant>,
    /// The call ends when the gateway shuts down.
    pub(super) draining: Option<CancellationToken>,
}

/// The limit that has ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Deadline,
    Idle,
    Expired,
    Draining,
}

impl Ends {
    /// A call that only has a deadline.
    pub(super) fn at(deadline: Instant) -> Self {
        Self {
            deadline: Some(deadline),
            idle: None,
            expires: None,
            draining: None,
        }
    }

    /// Waits until the first limit is reached.
    pub(super) async fn wait(self) -> End {
        let at = async |time: Option<Instant>| match time {
            Some(time) => tokio::time::sleep_until(time.into()).await,
            None => pending().await,
        };
        let idle = async {
            match &self.idle {
                Some((time, activity)) => activity.idle(*time).await,
                None => pending().await,
            }
        };
        let draining = async {
            match &self.draining {
                Some(draining) => draining.cancelled().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = at(self.deadline) => End::Deadline,
            () = idle => End::Idle,
            () = at(self.expires) => End::Expired,
            () = draining => End::Draining,
        }
    }
}

impl End {
    /// The status of the call, with an explanation.
    pub(super) fn status(self) -> (Code, &'static str) {
        match self {
            Self::Deadline => (Code::DeadlineExceeded, "the call did not end before its deadline"),
            Self::Idle => (Code::DeadlineExceeded, "the call was idle for too long"),
            Self::Expired => (Code::Unauthenticated, "the token has expired"),
            Self::Draining => (Code::Unavailable, "the gateway is shutting down; call again"),
        }
    }

    /// The error if the response has not begun yet.
    pub(super) fn problem(self) -> Problem {
        let (_, message) = self.status();
        match self {
            Self::Deadline | Self::Idle => Problem::timeout(message),
            Self::Expired => Problem::unauthorized(message),
            Self::Draining => Problem::unavailable(message),
        }
    }
}
