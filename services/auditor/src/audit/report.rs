//! The report of an audit, as JSON for programs and as one line per invariant for people.

use std::{collections::BTreeSet, fmt, time::Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::invariant_check::InvariantCheck;

/// Maximum number of violations per invariant in the JSON report.
const MAX_REPORTED: usize = 50;
/// Maximum number of violations per invariant in the printed report.
const MAX_PRINTED: usize = 5;

/// The result of one audit over every invariant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Report {
    /// Time at which the audit finished (UTC).
    pub checked_at: DateTime<Utc>,
    /// Duration of the audit in milliseconds.
    pub duration_ms: u64,
    /// Whether no invariant is violated. Skipped invariants do not count.
    pub clean: bool,
    /// Every invariant, violated or not, always in the same order.
    pub invariants: Vec<Invariant>,
    /// Number of ids of orders and sagas in progress, whose violations are left to the next audit.
    #[serde(skip)]
    pub in_progress: usize,
}

/// The result of checking one invariant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Invariant {
    /// Stable identifier of the invariant; also the `invariant` label of the metric `audit_invariant_violations`.
    #[schema(example = "ledger_balances")]
    pub name: &'static str,
    /// The invariant as a short sentence for operators.
    #[schema(example = "the ledger balances")]
    pub title: &'static str,
    /// Number of the invariant in the list of Souk's invariants. Several entries share a number if the invariant has
    /// several parts.
    #[schema(minimum = 1, example = 1)]
    pub number: u8,
    /// Number of items that were checked, such as orders or ledger transactions.
    pub checked: usize,
    /// Number of violations found; may exceed the length of `violations`.
    pub violated: usize,
    /// One sentence for each of the first 50 violations.
    #[schema(max_items = 50)]
    pub violations: Vec<String>,
    /// Why the invariant was not checked; absent if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "no Kafka is configured")]
    pub skipped: Option<&'static str>,
}

impl Report {
    /// Builds the report and drops violations of orders and sagas that are `in_progress`.
    pub(super) fn new(started: Instant, checks: Vec<InvariantCheck>, in_progress: &BTreeSet<String>) -> Self {
        let invariants: Vec<_> = checks
            .into_iter()
            .map(|check| Invariant::new(check, in_progress))
            .collect();
        Self {
            checked_at: Utc::now(),
            duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            clean: invariants.iter().all(|invariant| invariant.violated == 0),
            invariants,
            in_progress: in_progress.len(),
        }
    }
}

impl Invariant {
    fn new(check: InvariantCheck, in_progress: &BTreeSet<String>) -> Self {
        let is_idle =
            |order: &Option<String>| order.as_ref().is_none_or(|order| !in_progress.contains(order));
        let mut violations: Vec<_> = check
            .violations
            .into_iter()
            .filter(|violation| is_idle(&violation.order))
            .map(|violation| violation.text)
            .collect();
        let violated = violations.len();
        violations.truncate(MAX_REPORTED);
        Self {
            name: check.name,
            title: check.title,
            number: check.number,
            checked: check.checked,
            violated,
            violations,
            skipped: check.skipped,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for invariant in &self.invariants {
            let Invariant {
                number,
                title,
                checked,
                violated,
                skipped,
                ..
            } = invariant;
            // Violations that were found before the check had to be skipped are still printed.
            if let Some(why) = skipped.filter(|_| *violated == 0) {
                writeln!(f, "skip  {number:>2} {title} (not checked: {why})")?;
                continue;
            }
            let verdict = if *violated == 0 { "ok  " } else { "FAIL" };
            writeln!(f, "{verdict}  {number:>2} {title} ({checked} checked)")?;
            for violation in invariant.violations.iter().take(MAX_PRINTED) {
                writeln!(f, "      {violation}")?;
            }
            if *violated > MAX_PRINTED {
                writeln!(f, "      and {} more", violated - MAX_PRINTED)?;
            }
        }
        if self.in_progress > 0 {
            let count = self.in_progress;
            writeln!(
                f,
                "{count} orders and sagas are in progress; the next audit will check them"
            )?;
        }
        Ok(())
    }
}
