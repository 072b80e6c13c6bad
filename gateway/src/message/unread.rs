//! Limits how long a client may leave a response unread on HTTP/2. There, each stream has a window that the client
//! opens; while it is closed, hyper waits without a limit, and the connection to the upstream waits as well. Here the wait
//! times out, and the stream is reset. The client's other streams continue.

use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
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
    /// Whom the response waits for; `None` if the body was not polled.
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
        tokio::spawn(Limited {
            stream: Box::pin(stream),
            limit: self.limit,
            previous: 0,
            is_waiting: false,
            timer: None,
        });
    }
}

/// A stream that ends once its client has accepted nothing for too long. Dropping the stream resets it.
struct Limited<F> {
    stream: Pin<Box<F>>,
    limit: Duration,
    /// Size of the frames that were returned before those that wait now. The wait lasts until the client has accepted them.
    previous: usize,
    is_waiting: bool,
    /// Created when the client is first waited for, and then reused.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Future for Limited<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        BODY.set(Noted::default());
        if this.stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let noted = BODY.get();
        if let Some(side) = noted.waits_for {
            this.is_waiting = side == Side::Client;
        }
        if !this.is_waiting {
            return Poll::Pending;
        }
        let end = || {
            let unread = u32::try_from(this.previous + noted.bytes).unwrap_or(u32::MAX);
            Instant::now() + this.limit + Duration::from_secs((unread / SLOWEST).into())
        };
        let timer = match &mut this.timer {
            Some(timer) => {
                if noted.waits_for.is_some() {
                    timer.as_mut().reset(end());
                }
                timer
            }
            none => none.insert(Box::pin(tokio::time::sleep_until(end()))),
        };
        if noted.waits_for.is_some() {
            this.previous = noted.bytes;
        }
        if timer.as_mut().poll(cx).is_ready() {
            tracing::debug!("the client does not read a response; its stream is reset");
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
