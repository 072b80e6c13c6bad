//! What a person sees while waiting: one line a step, with its seconds.

use std::{
    io::IsTerminal as _,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::output::{show, show_line};

/// Runs a step and shows that it does. On a terminal its seconds are counted in place; elsewhere a line every 15 s.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let waiting = Waiting::start(what, Instant::now());
    let result = work();
    waiting.end(result.is_ok());
    result
}

/// A line of its own.
pub(crate) fn note(text: &str) {
    show_line(format_args!("{}· {text}", clear()));
}

/// A heading before a tool that speaks for itself, such as cargo.
pub(crate) fn heading(text: &str) {
    show_line(format_args!("{}→ {text}", clear()));
}

/// Goes to the line's start and empties it, where there is such a thing.
fn clear() -> &'static str {
    if std::io::stderr().is_terminal() {
        "\r\x1b[K"
    } else {
        ""
    }
}

/// A step that goes on beside others.
pub(crate) struct Waiting {
    what: String,
    started: Instant,
    /// Gone, the line is shown no more.
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Waiting {
    /// Shows it from now on.
    pub(crate) fn start(what: &str, started: Instant) -> Self {
        let (done, finished) = mpsc::channel::<()>();
        let text = what.to_owned();
        let terminal = std::io::stderr().is_terminal();
        let pause = if terminal {
            Duration::from_millis(200)
        } else {
            Duration::from_secs(15)
        };
        let thread = std::thread::spawn(move || {
            if terminal {
                show(format_args!("… {text}"));
            }
            while finished.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let seconds = started.elapsed().as_secs();
                if terminal {
                    show(format_args!("\r\x1b[K… {text} ({seconds} s)"));
                } else {
                    show_line(format_args!("… {text} ({seconds} s)"));
                }
            }
        });
        Self {
            what: what.to_owned(),
            started,
            done: Some(done),
            thread: Some(thread),
        }
    }

    /// Says how it ended.
    pub(crate) fn end(mut self, good: bool) {
        self.hide();
        let (mark, seconds) = (if good { "✓" } else { "✗" }, self.started.elapsed());
        show_line(format_args!(
            "{}{mark} {} ({:.1} s)",
            clear(),
            self.what,
            seconds.as_secs_f32()
        ));
    }

    fn hide(&mut self) {
        self.done = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.hide();
    }
}
