//! Prints to stdout and stderr. The reader of a pipe may stop reading, as `head` does: then the output is discarded and the
//! command continues. `println!` would panic instead.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints a line to stdout. Fails if it cannot be written, except when the reader has closed the pipe.
pub(crate) fn print(line: impl Display) -> io::Result<()> {
    ignore_closed_pipe(write_line(&mut io::stdout().lock(), line))
}

/// Writes text to stderr without ending the line. Failures are ignored, because there is no other place to report them.
pub(crate) fn show(text: impl Display) {
    let mut terminal = io::stderr().lock();
    let _ = write!(terminal, "{text}").and_then(|()| terminal.flush());
}

/// Writes a line to stderr. Failures are ignored.
pub(crate) fn show_line(line: impl Display) {
    let _ = write_line(&mut io::stderr().lock(), line);
}

/// Turns the error of a closed pipe into success.
fn ignore_closed_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn write_line(out: &mut impl io::Write, line: impl Display) -> io::Result<()> {
    // One write, so that lines of several threads do not mix.
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closed_pipe_is_ignored() {
        assert!(ignore_closed_pipe(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(ignore_closed_pipe(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
