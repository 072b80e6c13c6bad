//! A collector that takes no spans should cost nothing: while it is away no trace is recorded.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use opentelemetry_sdk::error::OTelSdkResult;

use crate::metrics::Gauge;

static AWAY: Gauge = Gauge::gauge(
    "telemetry_collector_away",
    "1 while the collector takes no spans, and so none are recorded",
);

/// Whether the collector took what was last sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Collector(Arc<AtomicBool>);

impl Collector {
    pub(crate) fn is_away(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes how an export ended, and tells the log when that is news. Whether the collector has just gone.
    pub(crate) fn note(&self, result: &OTelSdkResult) -> bool {
        let is_away = result.is_err();
        let was_away = self.0.swap(is_away, Ordering::Relaxed);
        AWAY.of([]).set(f64::from(u8::from(is_away)));
        match result {
            Err(error) if !was_away => {
                tracing::warn!(%error, "traces are lost: the collector does not take them");
            }
            Ok(()) if was_away => tracing::info!("the collector takes traces again"),
            _ => {}
        }
        is_away && !was_away
    }
}
