//! What an audit found: for programs as JSON, for people as one line an invariant.

use std::{collections::BTreeSet, fmt, time::Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::line::Line;

/// At most so many violations of one invariant are told, and so many printed.
const TOLD: usize = 50;
const SHOWN: usize = 5;

/// What the audit found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Report {
    /// When.
    pub checked_at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: u64,
    /// Whether every invariant that was checked holds.
    pub clean: bool,
    /// All of them.
    pub invariants: Vec<Invariant>,
    /// Number of orders and sagas that were under way, and are left to the next audit.
    #[serde(skip)]
    pub under_way: usize,
}

/// One invariant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Invariant {
    /// Stable; also the metric's label.
    #[schema(example = "ledger_balances")]
    pub name: &'static str,
    /// For people.
    #[schema(example = "the ledger balances")]
    pub title: &'static str,
    /// Its number in the list of what must always hold; some have several parts.
    pub number: u8,
    /// How many things were looked at.
    pub checked: usize,
    /// How many of them break it.
    pub violated: usize,
    /// Which, the first 50.
    pub violations: Vec<String>,
    /// Why this was not checked; absent where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "no Kafka is configured")]
    pub skipped: Option<&'static str>,
}

impl Report {
    /// Without what is said of orders and sagas that are `spared`.
    pub(super) fn new(started: Instant, lines: Vec<Line>, spared: &BTreeSet<String>) -> Self {
        let invariants: Vec<_> = lines
            .into_iter()
            .map(|line| Invariant::new(line, spared))
            .collect();
        Self {
            checked_at: Utc::now(),
            duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            clean: invariants.iter().all(|invariant| invariant.violated == 0),
            invariants,
            under_way: spared.len(),
        }
    }
}

impl Invariant {
    fn new(line: Line, spared: &BTreeSet<String>) -> Self {
        let judged = |order: &Option<String>| order.as_ref().is_none_or(|order| !spared.contains(order));
        let mut violations: Vec<_> = line
            .violations
            .into_iter()
            .filter(|violation| judged(&violation.order))
            .map(|violation| violation.text)
            .collect();
        let violated = violations.len();
        violations.truncate(TOLD);
        Self {
            name: line.name,
            title: line.title,
            number: line.number,
            checked: line.checked,
            violated,
            violations,
            skipped: line.skipped,
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
            // What was found before it could be looked at no further is told.
            if let Some(why) = skipped.filter(|_| *violated == 0) {
                writeln!(f, "skip  {number:>2} {title} (not checked: {why})")?;
                continue;
            }
            let verdict = if *violated == 0 { "ok  " } else { "FAIL" };
            writeln!(f, "{verdict}  {number:>2} {title} ({checked} checked)")?;
            for violation in invariant.violations.iter().take(SHOWN) {
                writeln!(f, "      {violation}")?;
            }
            if *violated > SHOWN {
                writeln!(f, "      and {} more", violated - SHOWN)?;
            }
        }
        if self.under_way > 0 {
            let count = self.under_way;
            writeln!(
                f,
                "{count} orders and sagas are under way; the next audit judges them"
            )?;
        }
        Ok(())
    }
}
