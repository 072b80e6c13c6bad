//! What a person sees while waiting: one line a step, with its seconds.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Result;

/// Runs a step and shows that it does. On a terminal its seconds are counted in place; elsewhere a line every 15 s.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let ticker = Ticker::start(what, started);
    let result = work();
    ticker.stop();
    let (mark, seconds) = (
        if result.is_ok() { "✓" } else { "✗" },
        started.elapsed().as_secs_f32(),
    );
    eprintln!("{}{mark} {what} ({seconds:.1} s)", clear());
    result
}

/// A line of its own.
pub(crate) fn note(text: &str) {
    eprintln!("{}· {text}", clear());
}

/// A heading before a tool that speaks for itself, such as cargo.
pub(crate) fn heading(text: &str) {
    eprintln!("{}→ {text}", clear());
}

/// Goes to the line's start and empties it, where there is such a thing.
fn clear() -> &'static str {
    if std::io::stderr().is_terminal() {
        "\r\x1b[K"
    } else {
        ""
    }
}

struct Ticker {
    done: Sender<()>,
    thread: JoinHandle<()>,
}

impl Ticker {
    fn start(what: &str, started: Instant) -> Self {
        let (done, finished) = mpsc::channel();
        let what = what.to_owned();
        let terminal = std::io::stderr().is_terminal();
        let pause = if terminal {
            Duration::from_millis(200)
        } else {
            Duration::from_secs(15)
        };
        let thread = std::thread::spawn(move || {
            if terminal {
                eprint!("… {what}");
            }
            while finished.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let seconds = started.elapsed().as_secs();
                if terminal {
                    eprint!("\r\x1b[K… {what} ({seconds} s)");
                    let _ = std::io::stderr().flush();
                } else {
                    eprintln!("… {what} ({seconds} s)");
                }
            }
        });
        Self { done, thread }
    }

    fn stop(self) {
        let _ = self.done.send(());
        let _ = self.thread.join();
    }
}
