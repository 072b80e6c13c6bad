//! SQL queries for the fault switches. Times follow the database's clock.

use chrono::{DateTime, Utc};
use contracts::UserId;
use sqlx::{PgConnection, PgExecutor};

use super::Fault;

/// A fault switch that is on.
#[derive(Debug, Clone)]
pub(super) struct ActiveSwitch {
    pub(super) fault: Fault,
    pub(super) until: DateTime<Utc>,
    pub(super) set_by: UserId,
    pub(super) reason: String,
}

/// Returns the switches that are on now. Faults that this version does not know are omitted.
pub(super) async fn active(database: impl PgExecutor<'_>) -> sqlx::Result<Vec<ActiveSwitch>> {
    let rows = sqlx::query!(
        "SELECT name, until, set_by, reason
         FROM (SELECT DISTINCT ON (name) name, until, set_by, reason FROM faults ORDER BY name, id DESC) AS newest
         WHERE until > now()"
    )
    .fetch_all(database)
    .await?;
    let switches = rows.into_iter().filter_map(|row| {
        let fault = Fault::parse(&row.name).ok()?;
        Some(ActiveSwitch {
            fault,
            until: row.until,
            set_by: UserId(row.set_by),
            reason: row.reason,
        })
    });
    Ok(switches.collect())
}

/// Switches a fault on for `seconds`, or off if that is 0. Every change inserts a new row.
pub(super) async fn set(
    conn: &mut PgConnection,
    fault: Fault,
    seconds: u32,
    actor: UserId,
    reason: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO faults (name, until, set_by, reason) VALUES ($1, now() + make_interval(secs => $2), $3, $4)",
        fault.as_str(),
        f64::from(seconds),
        actor.0,
        reason
    )
    .execute(conn)
    .await
    .map(|_| ())
}
