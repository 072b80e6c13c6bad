//! Messages: nothing is left unsent, and every dead letter is somebody's concern. A row that a late duplicate has put into
//! an outbox just now is on its way, so only what has waited counts.

use super::line::{Line, Violation};
use crate::{Databases, Error};

pub(super) async fn check(databases: &Databases) -> Result<Vec<Line>, Error> {
    let mut sent = Line::new(9, "outboxes_empty", "nothing waits in an outbox");
    for (name, pool) in [("orders", &databases.orders), ("payments", &databases.payments)] {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT format('%s to %s since %s', message_id, queue, created_at)
                 FROM outbox WHERE created_at < now() - interval '5 seconds'",
        )
        .fetch_all(pool)
        .await?;
        // An outbox is one thing; what waits in it makes several violations.
        sent.look(None);
        sent.violations.extend(rows.into_iter().map(|(row,)| Violation {
            order: None,
            text: format!("{name}: {row}"),
        }));
    }
    let dead: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT d.correlation_id::text, CASE WHEN s.status IS DISTINCT FROM 'parked'
                THEN format('dead letter %s of %s: %s', d.id, d.queue, d.reason) END
         FROM dead_letters d LEFT JOIN sagas s ON s.id = d.correlation_id WHERE d.settled_at IS NULL",
    )
    .fetch_all(&databases.orders)
    .await?;
    let mut parked = Line::new(
        10,
        "dead_letters_parked",
        "every dead letter belongs to a parked saga",
    );
    for (saga, violation) in dead {
        // A saga that runs may yet be parked for it.
        parked.look_at_order(&saga, violation);
    }
    Ok(vec![sent, parked])
}
