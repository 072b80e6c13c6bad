//! Prints the results. A closed standard output, for example by `head`, is not an error.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints a line to standard output, and ignores a closed pipe.
pub(crate) fn print(line: impl Display) -> io::Result<()> {
    ignore_closed_pipe(writeln!(io::stdout(), "{line}"))
}

/// Shows the progress, always on the same line. Errors are ignored, because there is nowhere to report them.
pub(crate) fn progress(text: impl Display) {
    let _ = write!(io::stderr(), "\r{text}");
}

fn ignore_closed_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
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
