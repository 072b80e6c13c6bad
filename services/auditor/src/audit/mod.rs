//! The invariants of the whole system. A violation names what breaks it. What is read from two databases is not of one
//! moment: an audit either waits until the system is at rest, or leaves out the orders that have moved meanwhile.

mod accounts;
mod events;
mod fulfilment;
mod line;
mod messages;
mod money;
mod orders;
mod report;
mod stock;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::{Databases, Error};
use line::Line;
pub use report::{Invariant, Report};

/// How long a transaction may take: one that began before the audit may have ended in it.
const MARGIN: Duration = Duration::from_secs(5);

/// How much an audit reads of logs that are long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All of them, of a system at rest.
    All,
    /// What may be new since the last audit.
    Newest,
}

/// Waits until the system is at rest, at most for `patience`, and checks everything. In a system that does not come to rest,
/// orders that are under way are not judged, as in [`now`]: between two steps of a checkout its stock may have left before
/// the order is confirmed, and a late duplicate holds items for a moment.
pub async fn at_rest(databases: &Databases, patience: Duration) -> Result<Report, Error> {
    let started = Instant::now();
    // Where Kafka is away, events wait for longer.
    let is_told = databases.kafka_answers().await == Some(true);
    let is_at_rest = loop {
        if databases.at_rest().await? && (!is_told || databases.all_told().await?) {
            break true;
        }
        if started.elapsed() >= patience {
            break false;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let started = Instant::now();
    let lines = check(databases, Scope::All).await?;
    let spared = if is_at_rest {
        BTreeSet::new()
    } else {
        databases.under_way(started.elapsed() + MARGIN).await?
    };
    Ok(Report::new(started, lines, &spared))
}

/// Checks everything as it is. Orders that are under way, or have moved while this read, are judged by the next audit.
pub async fn now(databases: &Databases) -> Result<Report, Error> {
    let started = Instant::now();
    let lines = check(databases, Scope::Newest).await?;
    let spared = databases.under_way(started.elapsed() + MARGIN).await?;
    Ok(Report::new(started, lines, &spared))
}

async fn check(databases: &Databases, scope: Scope) -> Result<Vec<Line>, Error> {
    let mut lines = money::check(databases).await?;
    lines.extend(stock::check(databases).await?);
    lines.extend(orders::check(databases).await?);
    lines.extend(messages::check(databases).await?);
    lines.push(events::check(databases, scope).await?);
    lines.extend(accounts::check(databases).await?);
    lines.push(fulfilment::check(databases).await?);
    lines.push(money::reservations_end(databases).await?);
    Ok(lines)
}
