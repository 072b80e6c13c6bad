//! A panic as one line of the log: what the standard library prints is many, and none of them JSON.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::PanicHookInfo,
};

/// Logs every panic of the process from now on, with a backtrace where `RUST_BACKTRACE` asks for one.
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
