//! Invariants of messages: every outbox is drained, and every dead letter belongs to a saga that waits for an operator.

use super::invariant_check::{InvariantCheck, Violation};
use crate::{Databases, Error};

pub(super) async fn check(databases: &Databases) -> Result<Vec<InvariantCheck>, Error> {
    let mut sent = InvariantCheck::new(9, "outboxes_empty", "no message waits in an outbox");
    for (name, pool) in [("orders", &databases.orders), ("payments", &databases.payments)] {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT format('%s to %s since %s', message_id, queue, created_at)
                 FROM outbox WHERE created_at < now() - interval '5 seconds'",
        )
        .fetch_all(pool)
        .await?;
        // Rows younger than 5 s are ignored: they are being published. An outbox counts as one checked item, but each
        // waiting message is a violation.
        sent.record(None);
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
    let mut parked = InvariantCheck::new(
        10,
        "dead_letters_parked",
        "every dead letter belongs to a parked saga",
    );
    for (saga, violation) in dead {
        // A running saga may still be parked because of this dead letter.
        parked.record_for_order(&saga, violation);
    }
    Ok(vec![sent, parked])
}
