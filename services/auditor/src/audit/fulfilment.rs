//! What leaves the warehouse: nothing whose money has been refunded, and nothing that is being returned.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Line;
use crate::{Databases, Error};

/// A return of items that were not shipped is refunded at once, so the order must stay until the return is over. Nothing
/// here is spared while its order moves: a shipment is final, and the refund or the open return came before it.
pub(super) async fn check(databases: &Databases) -> Result<Line, Error> {
    let refunded: BTreeMap<Uuid, DateTime<Utc>> = sqlx::query_as(
        "SELECT p.order_id, max(r.updated_at)
         FROM payments p JOIN refunds r ON r.payment_id = p.id AND r.status = 'succeeded'
         WHERE p.status = 'refunded' GROUP BY p.order_id",
    )
    .fetch_all(&databases.payments)
    .await?
    .into_iter()
    .collect();
    let shipments: Vec<(Uuid, DateTime<Utc>, Option<Uuid>)> = sqlx::query_as(
        "SELECT s.order_id, s.shipped_at, (
             SELECT r.id FROM returns r
             WHERE r.order_id = s.order_id AND NOT r.needs_receipt AND r.status IN ('requested', 'refunded') LIMIT 1)
         FROM shipments s",
    )
    .fetch_all(&databases.orders)
    .await?;
    let mut line = Line::new(
        13,
        "shipped_is_kept",
        "nothing is shipped that is refunded in full or is being returned",
    );
    for (order, shipped_at, open_return) in shipments {
        let refunded_at = refunded.get(&order).filter(|refunded| **refunded < shipped_at);
        let violation = match (open_return, refunded_at) {
            (Some(id), _) => Some(format!("order {order} was shipped while its return {id} is open")),
            (None, Some(at)) => Some(format!(
                "order {order} was shipped at {shipped_at}, and had been refunded in full at {at}"
            )),
            (None, None) => None,
        };
        line.look(violation);
    }
    Ok(line)
}
