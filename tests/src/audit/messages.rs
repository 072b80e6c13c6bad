//! Messages: nothing is left unsent, and every dead letter is somebody's concern. A row that a late duplicate has put into
//! an outbox just now is on its way, so only what has waited counts.

use anyhow::Result;

use super::{Databases, Line};

pub(super) async fn check(databases: &Databases) -> Result<Vec<Line>> {
    let mut sent = Line::new(" 9 nothing waits in an outbox");
    for (name, pool) in [("orders", &databases.orders), ("payments", &databases.payments)] {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT format('%s to %s since %s', message_id, queue, created_at)
                 FROM outbox WHERE created_at < now() - interval '5 seconds'",
        )
        .fetch_all(pool)
        .await?;
        sent.look(None);
        sent.violations
            .extend(rows.into_iter().map(|(row,)| format!("{name}: {row}")));
    }
    let dead = sqlx::query_as(
        "SELECT CASE WHEN s.status IS DISTINCT FROM 'parked'
                THEN format('dead letter %s of %s: %s', d.id, d.queue, d.reason) END
         FROM dead_letters d LEFT JOIN sagas s ON s.id = d.correlation_id WHERE d.settled_at IS NULL",
    )
    .fetch_all(&databases.orders)
    .await?;
    Ok(vec![
        sent,
        Line::new("10 every dead letter belongs to a parked saga").look_at(dead),
    ])
}
