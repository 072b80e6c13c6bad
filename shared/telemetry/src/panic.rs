//! Logs a panic as a single log line. The standard library would print several lines that are not JSON.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::PanicHookInfo,
};

/// Installs a panic hook that logs every panic, with a backtrace if `RUST_BACKTRACE` enables it.
pub(crate) fn log() {
    std::panic::set_hook(Box::new(report));
}

fn report(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default();
    let backtrace = Backtrace::capture();
    tracing::error!(
        panic = text,
        location = info.location().map(tracing::field::display),
        backtrace =
            (backtrace.status() == BacktraceStatus::Captured).then(|| tracing::field::display(&backtrace)),
        "a task panicked"
    );
}
