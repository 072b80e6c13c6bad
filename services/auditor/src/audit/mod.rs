//! The invariants of the whole system. Data from two databases is not read at the same moment, so an audit either waits
//! until the system is idle or ignores violations of orders that changed in the meantime.

mod accounts;
mod events;
mod fulfilment;
pub(crate) mod get_audit;
mod invariant_check;
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
use invariant_check::InvariantCheck;
pub use report::{Invariant, Report};

/// Maximum duration of a transaction: one that began before the audit may commit during it.
const MARGIN: Duration = Duration::from_secs(5);

/// How much of the event logs an audit reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The complete logs, for an idle system.
    All,
    /// Only events that may be new since the last audit.
    Recent,
}

/// Waits until the system is idle, for at most `timeout`, and then checks everything. If the system does not become idle,
/// violations of orders in progress are ignored as in [`now`]: during a checkout, stock may be committed before the order
/// is confirmed, and a late duplicate may hold items for a moment.
pub async fn when_idle(databases: &Databases, timeout: Duration) -> Result<Report, Error> {
    let started = Instant::now();
    // While Kafka is unavailable, events stay unpublished, so waiting for them would be useless.
    let is_kafka_available = databases.kafka_answers().await == Some(true);
    let is_idle = loop {
        if databases.is_idle().await? && (!is_kafka_available || databases.all_events_published().await?) {
            break true;
        }
        if started.elapsed() >= timeout {
            break false;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let started = Instant::now();
    let checks = check(databases, Scope::All).await?;
    let in_progress = if is_idle {
        BTreeSet::new()
    } else {
        databases.in_progress(started.elapsed() + MARGIN).await?
    };
    Ok(Report::new(started, checks, &in_progress))
}

/// Checks everything immediately. Orders that are in progress or change during the audit are left to the next audit.
pub async fn now(databases: &Databases) -> Result<Report, Error> {
    let started = Instant::now();
    let checks = check(databases, Scope::Recent).await?;
    let in_progress = databases.in_progress(started.elapsed() + MARGIN).await?;
    Ok(Report::new(started, checks, &in_progress))
}

async fn check(databases: &Databases, scope: Scope) -> Result<Vec<InvariantCheck>, Error> {
    let mut checks = money::check(databases).await?;
    checks.extend(stock::check(databases).await?);
    checks.extend(orders::check(databases).await?);
    checks.extend(messages::check(databases).await?);
    checks.push(events::check(databases, scope).await?);
    checks.extend(accounts::check(databases).await?);
    checks.push(fulfilment::check(databases).await?);
    checks.push(money::reservations_end(databases).await?);
    Ok(checks)
}
