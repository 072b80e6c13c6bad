//! Limits how long a client may leave a response unread on HTTP/2. There, each stream has a window that the client
//! opens; while it is closed, hyper waits without a limit, and the connection to the upstream waits as well. Here the wait
//! times out, and the stream is reset. The client's other streams continue.

use std::{
    cell::Cell,
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use hyper::rt::Executor;
use tokio::time::{Instant, Sleep};

/// A client that reads at least this number of bytes in a second is never too slow.
const SLOWEST: u32 = 4096;

thread_local! {
    /// What happened to the body of the response whose stream is being polled.
    static BODY: Cell<Noted> = const { Cell::new(Noted { bytes: 0, waits_for: None }) };
}

#[derive(Debug, Clone, Copy, Default)]
struct Noted {
    /// Size of the frames that the body has returned.
    bytes: usize,
    /// The side that the response waits for; `None` if the body was not polled.
    waits_for: Option<Side>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Upstream,
}

/// Notes that a body was polled. `returned` is the size of the frame, or `None` if none is ready yet.
pub(super) fn note(returned: Option<usize>) {
    let Noted { bytes, .. } = BODY.get();
    BODY.set(match returned {
        Some(more) => Noted {
            bytes: bytes + more,
            waits_for: Some(Side::Client),
        },
        None => Noted {
            bytes,
            waits_for: Some(Side::Upstream),
        },
    });
}

/// Runs the streams of HTTP/2 connections on the current runtime.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    /// How long a client may accept nothing of a response.
    pub(crate) limit: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        tokio::spawn(run(stream, self.limit));
    }
}

/// Polls a stream until its end, or until its client has accepted nothing for too long. The stream is dropped then, which
/// resets it.
async fn run(stream: impl Future, limit: Duration) {
    let mut stream = pin!(stream);
    // Size of the frames that were returned before those that wait now. The wait lasts until the client has accepted them.
    let mut previous = 0;
    let mut is_waiting = false;
    // Created when the client is first waited for, and then reused.
    let mut timer: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        BODY.set(Noted::default());
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Noted { bytes, waits_for } = BODY.get();
        if let Some(side) = waits_for {
            is_waiting = side == Side::Client;
        }
        if !is_waiting {
            return Poll::Pending;
        }
        if waits_for.is_some() {
            let unread = u32::try_from(previous + bytes).unwrap_or(u32::MAX);
            let end = Instant::now() + limit + Duration::from_secs((unread / SLOWEST).into());
            match &mut timer {
                Some(timer) => timer.as_mut().reset(end),
                none => *none = Some(Box::pin(tokio::time::sleep_until(end))),
            }
            previous = bytes;
        }
        let has_ended = timer
            .as_mut()
            .is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        if !has_ended {
            return Poll::Pending;
        }
        tracing::debug!("the client does not read a response; its stream is reset");
        Poll::Ready(())
    })
    .await;
}
