//! Everything that is printed goes through here. A reader may stop reading, as `head` does: what it no longer wants is
//! dropped, and the command does its work to the end. `println!` would panic instead.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints a line for the caller to read or to pipe on. Fails when it cannot be written, unless nobody reads it any more.
pub(crate) fn print(line: impl Display) -> io::Result<()> {
    unless_closed(write_line(&mut io::stdout().lock(), line))
}

/// Shows text to the person at the terminal, without ending the line. There is no further place to report a failure to.
pub(crate) fn show(text: impl Display) {
    let mut terminal = io::stderr().lock();
    let _ = write!(terminal, "{text}").and_then(|()| terminal.flush());
}

/// As [`show`], a whole line.
pub(crate) fn show_line(line: impl Display) {
    let _ = write_line(&mut io::stderr().lock(), line);
}

/// A closed pipe is no error.
fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn write_line(out: &mut impl io::Write, line: impl Display) -> io::Result<()> {
    // In one piece, so that lines of several threads do not mix.
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
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
