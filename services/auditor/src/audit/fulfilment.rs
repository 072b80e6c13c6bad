//! Invariant of shipping: no order is shipped after a full refund or while a return of it is open.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::InvariantCheck;
use crate::{Databases, Error};

/// A return of items that were not shipped is refunded immediately, so the order must not be shipped until that return
/// ends. Orders in progress are checked too, because a shipment is final and the refund or open return preceded it.
pub(super) async fn check(databases: &Databases) -> Result<InvariantCheck, Error> {
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
    let mut check = InvariantCheck::new(
        13,
        "shipped_is_kept",
        "no order is shipped after a full refund or during a return",
    );
    for (order, shipped_at, open_return) in shipments {
        let refunded_at = refunded.get(&order).filter(|refunded| **refunded < shipped_at);
        let violation = match (open_return, refunded_at) {
            (Some(id), _) => Some(format!("order {order} was shipped while its return {id} is open")),
            (None, Some(at)) => Some(format!(
                "order {order} was shipped at {shipped_at} although it was refunded in full at {at}"
            )),
            (None, None) => None,
        };
        check.record(violation);
    }
    Ok(check)
}
