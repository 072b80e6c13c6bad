//! The invariants of the whole system, checked over all databases at once. No service could: each sees its own. One
//! line an invariant; a violation names what breaks it.

mod accounts;
mod messages;
mod money;
mod orders;
mod stock;

use std::{fmt, time::Duration};

use anyhow::{Context, Result};
use mongodb::Database;
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::stack::Status;

/// At most so many violations of one invariant are printed.
const SHOWN: usize = 5;

/// What the audit found.
#[derive(Debug, Default)]
pub struct Report {
    lines: Vec<Line>,
}

/// One invariant.
#[derive(Debug)]
pub(crate) struct Line {
    name: &'static str,
    /// How many things were looked at: an invariant over nothing proves nothing.
    checked: usize,
    violations: Vec<String>,
}

impl Line {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            checked: 0,
            violations: vec![],
        }
    }

    /// Looks at one thing; `violation` is the text where it breaks the invariant.
    fn look(&mut self, violation: Option<String>) {
        self.checked += 1;
        self.violations.extend(violation);
    }

    /// Looks at the rows of a query, each with the text of its violation, if it is one.
    fn look_at(mut self, rows: Vec<(Option<String>,)>) -> Self {
        for (violation,) in rows {
            self.look(violation);
        }
        self
    }
}

impl Report {
    /// Whether every invariant holds.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lines.iter().all(|line| line.violations.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line {
            name,
            checked,
            violations,
        } in &self.lines
        {
            let verdict = if violations.is_empty() { "ok  " } else { "FAIL" };
            writeln!(f, "{verdict}  {name} ({checked} checked)")?;
            for violation in violations.iter().take(SHOWN) {
                writeln!(f, "      {violation}")?;
            }
            if violations.len() > SHOWN {
                writeln!(f, "      and {} more", violations.len() - SHOWN)?;
            }
        }
        Ok(())
    }
}

/// Connections to every database.
#[derive(Debug)]
pub(crate) struct Databases {
    users: PgPool,
    orders: PgPool,
    payments: PgPool,
    psp: PgPool,
    inventory: Database,
}

impl Databases {
    async fn connect(status: &Status) -> Result<Self> {
        let pool = |name: &str| {
            let url = status
                .databases
                .get(name)
                .with_context(|| format!("no database of {name}"))?;
            anyhow::Ok(PgPoolOptions::new().max_connections(2).connect_lazy(url)?)
        };
        let client = mongodb::Client::with_uri_str(&status.mongodb).await?;
        let inventory = client
            .default_database()
            .context("the MongoDB URL names no database")?;
        Ok(Self {
            users: pool("users")?,
            orders: pool("orders")?,
            payments: pool("payments")?,
            psp: pool("psp")?,
            inventory,
        })
    }

    /// Whether nothing is under way: no live saga, no message to send, no refund without an answer.
    async fn at_rest(&self) -> Result<bool> {
        let orders: bool = sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT FROM sagas WHERE status IN ('running', 'compensating'))
                AND NOT EXISTS (SELECT FROM outbox)",
        )
        .fetch_one(&self.orders)
        .await?;
        let payments: bool = sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT FROM outbox) AND NOT EXISTS (SELECT FROM refunds WHERE status = 'pending')",
        )
        .fetch_one(&self.payments)
        .await?;
        Ok(orders && payments)
    }
}

/// Waits until the system is at rest, at most for `patience`, and checks everything. A system that does not come to rest
/// is checked all the same, and shows why.
pub async fn at_rest(status: &Status, patience: Duration) -> Result<Report> {
    let databases = Databases::connect(status).await?;
    let started = std::time::Instant::now();
    while !databases.at_rest().await? && started.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut report = Report::default();
    report.lines.extend(money::check(&databases).await?);
    report.lines.extend(stock::check(&databases).await?);
    report.lines.extend(orders::check(&databases).await?);
    report.lines.extend(messages::check(&databases).await?);
    report.lines.extend(accounts::check(&databases).await?);
    Ok(report)
}
