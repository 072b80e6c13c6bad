//! What the bench prints. A reader that stops reading, as `head` does, is no reason to fail.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints a line to standard output, and does nothing when its reader has gone.
pub(crate) fn print(line: impl Display) -> io::Result<()> {
    unless_closed(writeln!(io::stdout(), "{line}"))
}

/// Shows how far the bench is, on the same line each time. There is no place to report a failure to.
pub(crate) fn progress(text: impl Display) {
    let _ = write!(io::stderr(), "\r{text}");
}

fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_closed_pipe_is_forgiven() {
        assert!(unless_closed(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(unless_closed(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
