//! Which configuration is in force, and the last attempts to change it, for operators.

use std::sync::{Mutex, PoisonError};

use crate::{
    metrics::{RELOAD_REFUSED, RELOADS},
    report::{Attempt, ConfigReport, Source},
};

/// Number of attempts that are kept.
const KEPT: usize = 20;

/// The attempts to change the configuration.
#[derive(Debug)]
pub(crate) struct History(Mutex<ConfigReport>);

fn attempt(source: Source, outcome: Result<&str, String>) -> Attempt {
    Attempt {
        at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        source,
        digest: outcome.as_ref().ok().map(|digest| (*digest).to_owned()),
        error: outcome.err(),
    }
}

impl History {
    /// A history that begins with the configuration at the start of the process.
    pub(crate) fn new(digest: &str) -> Self {
        for result in ["applied", "refused"] {
            RELOADS.of([("result", result)]);
        }
        RELOAD_REFUSED.of([]).set(0.0);
        let current = attempt(Source::Start, Ok(digest));
        Self(Mutex::new(ConfigReport {
            last_attempts: vec![current.clone()],
            current,
        }))
    }

    /// Adds an attempt; its outcome is the digest of the configuration that was applied, or why it was refused.
    pub(crate) fn record(&self, source: Source, outcome: &anyhow::Result<String>) {
        let result = if outcome.is_ok() { "applied" } else { "refused" };
        RELOADS.of([("result", result)]).inc();
        RELOAD_REFUSED.of([]).set(if outcome.is_ok() { 0.0 } else { 1.0 });
        let outcome = outcome
            .as_ref()
            .map(String::as_str)
            .map_err(|error| format!("{error:#}"));
        let attempt = attempt(source, outcome);
        let mut report = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if attempt.digest.is_some() {
            report.current = attempt.clone();
        }
        report.last_attempts.insert(0, attempt);
        report.last_attempts.truncate(KEPT);
    }

    /// The response of `GET /v1/admin/config`.
    pub(crate) fn report(&self) -> ConfigReport {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
