//! Ctrl-C, and the one place where xtask waits.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on Ctrl-C and SIGTERM end what runs in good order, not this process at once.
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

/// Whether somebody asked to end.
pub(crate) fn requested() -> bool {
    INTERRUPTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Fails once somebody asked to end.
pub(crate) fn check() -> Result<()> {
    if requested() {
        bail!("interrupted");
    }
    Ok(())
}

/// Waits a moment.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask has no runtime whose threads a sleep could block"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Asks `probe` every 50 ms until it says yes; false when it has not by then.
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
