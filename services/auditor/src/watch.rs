//! The periodic audit. It runs every minute and updates the metrics that alert operators.

use std::time::Duration;

use prometheus_client::metrics::{family::Family, gauge::Gauge};
use telemetry::metrics::{Labels, registry};
use tokio_util::sync::CancellationToken;

use crate::{App, audit::Report};

const PERIOD: Duration = Duration::from_mins(1);

/// The results of the last audit as metrics.
#[derive(Debug, Clone, Default)]
pub struct Violations {
    by_invariant: Family<Labels, Gauge>,
    /// Time of the last successful audit. An auditor that cannot read finds no violations, so an alert watches this too.
    checked_at: Gauge,
}

impl Violations {
    /// Registers the metrics; must be called only once per process.
    pub(crate) fn register(&self) {
        let mut registry = registry();
        registry.register(
            "audit_invariant_violations",
            "Violations of the invariant found by the last audit",
            self.by_invariant.clone(),
        );
        registry.register(
            "audit_last_success_timestamp_seconds",
            "Time of the last successful audit, in seconds since 1970",
            self.checked_at.clone(),
        );
    }

    pub(crate) fn set(&self, report: &Report) {
        for invariant in report
            .invariants
            .iter()
            .filter(|invariant| invariant.skipped.is_none())
        {
            let violated = i64::try_from(invariant.violated).unwrap_or(i64::MAX);
            self.by_invariant
                .get_or_create(&labels(invariant.name))
                .set(violated);
        }
        self.checked_at.set(report.checked_at.timestamp());
    }

    /// Number of violations of the named invariant that the last audit found.
    #[must_use]
    pub fn count(&self, invariant: &'static str) -> i64 {
        self.by_invariant.get_or_create(&labels(invariant)).get()
    }
}

fn labels(invariant: &str) -> Labels {
    vec![("invariant", invariant.to_owned())]
}

/// Runs an audit every minute until `shutdown` is cancelled.
pub(crate) async fn run(app: App, shutdown: CancellationToken) {
    loop {
        match app.audit().await {
            Ok(report) => {
                for invariant in report
                    .invariants
                    .iter()
                    .filter(|invariant| invariant.violated > 0)
                {
                    tracing::error!(
                        invariant = invariant.name,
                        violated = invariant.violated,
                        first = invariant.violations.first(),
                        "an invariant is violated"
                    );
                }
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the audit failed; will retry in one minute"
                );
            }
        }
        let pause = tokio::time::sleep(PERIOD);
        if shutdown.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}
