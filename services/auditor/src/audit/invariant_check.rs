//! The result of one invariant while it is being checked.

/// Number of checked items and the violations found so far.
#[derive(Debug)]
pub(super) struct InvariantCheck {
    /// Number of the invariant in the list of Souk's invariants; several checks may share one number.
    pub(super) number: u8,
    /// Stable identifier, used in the API and as a metric label.
    pub(super) name: &'static str,
    /// The invariant as a sentence for operators.
    pub(super) title: &'static str,
    /// Number of items checked. A check of zero items proves nothing, so the report shows this number.
    pub(super) checked: usize,
    pub(super) violations: Vec<Violation>,
    /// Why the invariant could not be checked, if that is the case.
    pub(super) skipped: Option<&'static str>,
}

/// One item that violates an invariant.
#[derive(Debug)]
pub(super) struct Violation {
    /// The order or saga, if its data came from two databases and may be inconsistent only because it is in progress.
    pub(super) order: Option<String>,
    pub(super) text: String,
}

impl InvariantCheck {
    pub(super) fn new(number: u8, name: &'static str, title: &'static str) -> Self {
        Self {
            number,
            name,
            title,
            checked: 0,
            violations: vec![],
            skipped: None,
        }
    }

    /// Counts one checked item; `violation` describes how it violates the invariant, if it does.
    pub(super) fn record(&mut self, violation: Option<String>) {
        self.checked += 1;
        self.violations
            .extend(violation.map(|text| Violation { order: None, text }));
    }

    /// Counts one checked order or saga. Its violation is ignored while the order or saga is in progress.
    pub(super) fn record_for_order(&mut self, order: &str, violation: Option<String>) {
        self.checked += 1;
        self.violations.extend(violation.map(|text| Violation {
            order: Some(order.to_owned()),
            text,
        }));
    }

    /// Counts the rows of a query, each of which holds the text of its violation or NULL.
    pub(super) fn with_rows(mut self, rows: Vec<(Option<String>,)>) -> Self {
        for (violation,) in rows {
            self.record(violation);
        }
        self
    }
}
