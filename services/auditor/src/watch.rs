//! The audit that nobody asked for: every minute, for the metric by which operators are called.

use std::time::Duration;

use prometheus_client::metrics::{family::Family, gauge::Gauge};
use telemetry::metrics::{Labels, registry};
use tokio_util::sync::CancellationToken;

use crate::{App, audit::Report};

const PERIOD: Duration = Duration::from_mins(1);

/// What the last audit found, as metrics.
#[derive(Debug, Clone, Default)]
pub struct Violations {
    by_invariant: Family<Labels, Gauge>,
    /// An auditor that cannot read finds no violations; this one tells.
    checked_at: Gauge,
}

impl Violations {
    /// Shows it on `/metrics`; once a process.
    pub(crate) fn register(&self) {
        let mut registry = registry();
        registry.register(
            "audit_invariant_violations",
            "What broke the invariant at the last audit",
            self.by_invariant.clone(),
        );
        registry.register(
            "audit_last_success_timestamp_seconds",
            "When the last audit was made, in seconds since 1970",
            self.checked_at.clone(),
        );
    }

    pub(crate) fn set(&self, report: &Report) {
        for invariant in report.invariants.iter().filter(|one| one.skipped.is_none()) {
            let violated = i64::try_from(invariant.violated).unwrap_or(i64::MAX);
            self.by_invariant
                .get_or_create(&labels(invariant.name))
                .set(violated);
        }
        self.checked_at.set(report.checked_at.timestamp());
    }

    /// How often the invariant was broken at the last audit.
    #[must_use]
    pub fn of(&self, invariant: &'static str) -> i64 {
        self.by_invariant.get_or_create(&labels(invariant)).get()
    }
}

fn labels(invariant: &str) -> Labels {
    vec![("invariant", invariant.to_owned())]
}

/// Audits until `shutdown`.
pub(crate) async fn run(app: App, shutdown: CancellationToken) {
    loop {
        match app.audit().await {
            Ok(report) => {
                for broken in report.invariants.iter().filter(|one| one.violated > 0) {
                    tracing::error!(
                        invariant = broken.name,
                        violated = broken.violated,
                        first = broken.violations.first(),
                        "an invariant is violated"
                    );
                }
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the audit could not be made"
                );
            }
        }
        let pause = tokio::time::sleep(PERIOD);
        if shutdown.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}
