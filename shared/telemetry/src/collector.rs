//! Tracks whether the collector accepts spans. While it does not, no traces are recorded, to avoid useless work.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use opentelemetry_sdk::error::OTelSdkResult;

use crate::metrics::Gauge;

static UNAVAILABLE: Gauge = Gauge::gauge(
    "telemetry_collector_away",
    "1 while the collector accepts no spans, so that none are recorded",
);

/// Whether the last export to the collector succeeded. Clones share the state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Collector(Arc<AtomicBool>);

impl Collector {
    pub(crate) fn is_unavailable(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Records the result of an export, and logs a change. Returns true if the collector has just become unavailable.
    pub(crate) fn record(&self, result: &OTelSdkResult) -> bool {
        let is_unavailable = result.is_err();
        let was_unavailable = self.0.swap(is_unavailable, Ordering::Relaxed);
        UNAVAILABLE.of([]).set(f64::from(u8::from(is_unavailable)));
        match result {
            Err(error) if !was_unavailable => {
                tracing::warn!(%error, "exporting traces failed; no traces are recorded until the collector is available");
            }
            Ok(()) if was_unavailable => {
                tracing::info!("the collector is available again; traces are recorded");
            }
            _ => {}
        }
        is_unavailable && !was_unavailable
    }
}
