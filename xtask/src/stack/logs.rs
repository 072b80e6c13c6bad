//! Prints the logs of processes.

use std::{
    fs::File,
    io::{self, Write as _},
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::Stack;
use crate::interrupt;

/// Prints a log, and with `follow` also the lines that are added later.
pub(crate) fn print(stack: &Stack, name: &str, follow: bool) -> Result<()> {
    if name != "install" {
        super::control::check_name(name)?;
    }
    let path = stack.log(name);
    let mut file = File::open(&path).with_context(|| format!("{name} has no log yet"))?;
    let mut out = io::stdout().lock();
    loop {
        match io::copy(&mut file, &mut out).and_then(|_| out.flush()) {
            // The reader has closed the pipe.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result?,
        }
        if !follow {
            return Ok(());
        }
        interrupt::pause(Duration::from_millis(200));
    }
}
