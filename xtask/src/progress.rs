//! Shows progress on stderr: one line per step, with its duration in seconds.

use std::{
    io::IsTerminal as _,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::output::{show, show_line};

/// Runs a step and shows its progress. On a terminal the line counts the seconds; otherwise a new line appears every 15 s.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let waiting = Progress::start(what, Instant::now());
    let result = work();
    waiting.end(result.is_ok());
    result
}

/// Shows a message on a line of its own.
pub(crate) fn note(text: &str) {
    show_line(format_args!("{}· {text}", clear()));
}

/// Shows a heading before the output of a tool such as cargo.
pub(crate) fn heading(text: &str) {
    show_line(format_args!("{}→ {text}", clear()));
}

/// Escape sequence that clears the current line, or nothing if stderr is not a terminal.
fn clear() -> &'static str {
    if std::io::stderr().is_terminal() {
        "\r\x1b[K"
    } else {
        ""
    }
}

/// Shows a step until it is ended or dropped, while other code runs.
pub(crate) struct Progress {
    what: String,
    started: Instant,
    /// Dropping the sender ends the thread that shows the line.
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows the step from now on, with the seconds since `started`.
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

    /// Shows whether the step succeeded, and its duration.
    pub(crate) fn end(mut self, succeeded: bool) {
        self.hide();
        let (mark, seconds) = (if succeeded { "✓" } else { "✗" }, self.started.elapsed());
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

impl Drop for Progress {
    fn drop(&mut self) {
        self.hide();
    }
}
