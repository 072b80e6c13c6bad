//! Handles Ctrl-C, and contains all functions that wait.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Makes Ctrl-C, SIGTERM and SIGHUP set a flag instead of ending this process, so that it can stop the system cleanly.
pub(crate) fn listen() -> Result<()> {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ] {
        signal_hook::flag::register(signal, Arc::clone(flag))?;
    }
    Ok(())
}

/// Whether a signal has requested the end of this process.
pub(crate) fn requested() -> bool {
    INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Fails if a signal has requested the end of this process.
pub(crate) fn check() -> Result<()> {
    if requested() {
        bail!("interrupted");
    }
    Ok(())
}

/// Blocks the current thread for this time.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask has no runtime whose threads a sleep could block"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Calls `probe` every 50 ms until it returns true. Returns false if it has not done so before the timeout.
pub(crate) fn wait(timeout: Duration, mut probe: impl FnMut() -> Result<bool>) -> Result<bool> {
    let started = Instant::now();
    loop {
        if probe()? {
            return Ok(true);
        }
        if started.elapsed() > timeout {
            return Ok(false);
        }
        pause(Duration::from_millis(50));
    }
}
