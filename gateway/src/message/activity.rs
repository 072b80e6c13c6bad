//! Copies the bytes of connections, and knows when data was last received, so that a connection or a stream can be ended
//! after a time without any.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::Instant,
};

/// Size of the buffer of a copy, in bytes.
const BUFFER: usize = 16 << 10;

/// The time of the newest data, in either direction.
#[derive(Debug)]
pub(crate) struct Activity {
    started: Instant,
    /// Milliseconds from the start to the newest data.
    last: AtomicU64,
}

impl Activity {
    /// Begins now, as if data had just been received.
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    /// Records that there was data.
    pub(crate) fn record(&self) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }

    /// Waits until there was no data for this time.
    pub(crate) async fn idle(&self, time: Duration) {
        loop {
            let end = self.started + Duration::from_millis(self.last.load(Ordering::Relaxed)) + time;
            if Instant::now() >= end {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}

/// Copies until the end of `from`, and then closes the sending side of `to`. `count` gets the number of bytes of each part.
pub(crate) async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    activity: &Activity,
    count: impl Fn(u64),
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        activity.record();
        to.write_all(&buffer[..read]).await?;
        to.flush().await?;
        count(read as u64);
    }
}
