//! One invariant while it is being checked.

/// What was looked at, and what is wrong.
#[derive(Debug)]
pub(super) struct Line {
    /// Of the list in which the invariants are agreed; several lines may make one of it.
    pub(super) number: u8,
    /// For programs.
    pub(super) name: &'static str,
    /// For people.
    pub(super) title: &'static str,
    /// How many things were looked at: an invariant over nothing proves nothing.
    pub(super) checked: usize,
    pub(super) violations: Vec<Violation>,
    /// Why nothing was looked at, if nothing could be.
    pub(super) skipped: Option<&'static str>,
}

/// What breaks an invariant.
#[derive(Debug)]
pub(super) struct Violation {
    /// The order or saga, where it was read from two databases and may only look wrong.
    pub(super) order: Option<String>,
    pub(super) text: String,
}

impl Line {
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

    /// Looks at one thing; `violation` is the text where it breaks the invariant.
    pub(super) fn look(&mut self, violation: Option<String>) {
        self.checked += 1;
        self.violations
            .extend(violation.map(|text| Violation { order: None, text }));
    }

    /// Looks at an order or saga, which must be at rest to be judged.
    pub(super) fn look_at_order(&mut self, order: &str, violation: Option<String>) {
        self.checked += 1;
        self.violations.extend(violation.map(|text| Violation {
            order: Some(order.to_owned()),
            text,
        }));
    }

    /// Looks at the rows of a query, each with the text of its violation, if it is one.
    pub(super) fn look_at(mut self, rows: Vec<(Option<String>,)>) -> Self {
        for (violation,) in rows {
            self.look(violation);
        }
        self
    }
}
