//! Invariants of orders and sagas: an order's status matches its payment, and every saga ends.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::InvariantCheck;
use crate::{Databases, Error};

pub(super) async fn check(databases: &Databases) -> Result<Vec<InvariantCheck>, Error> {
    Ok(vec![
        confirmed_is_captured(databases).await?,
        sagas_end(databases).await?,
        no_undo_after_capture(databases).await?,
        one_effect(databases).await?,
        one_key_one_order(databases).await?,
    ])
}

async fn confirmed_is_captured(databases: &Databases) -> Result<InvariantCheck, Error> {
    let mut payments: BTreeMap<Uuid, (String, i64)> = BTreeMap::new();
    let rows: Vec<(Uuid, String, i64)> = sqlx::query_as("SELECT order_id, status, captured FROM payments")
        .fetch_all(&databases.payments)
        .await?;
    payments.extend(
        rows.into_iter()
            .map(|(order, status, captured)| (order, (status, captured))),
    );
    let orders: Vec<(Uuid, String, i64)> =
        sqlx::query_as("SELECT id, status, total FROM orders WHERE status <> 'pending'")
            .fetch_all(&databases.orders)
            .await?;
    let mut check = InvariantCheck::new(
        6,
        "confirmed_is_captured",
        "an order is confirmed if and only if its payment is captured",
    );
    for (order, status, total) in orders {
        let payment = payments.get(&order);
        let is_consistent = match (status.as_str(), payment) {
            ("rejected" | "cancelled", None) => true,
            ("rejected" | "cancelled", Some((payment, _))) => {
                ["voided", "failed", "expired", "refunded"].contains(&payment.as_str())
            }
            (_, Some((_, captured))) => *captured == total,
            (_, None) => false,
        };
        check.record_for_order(
            &order.to_string(),
            (!is_consistent).then(|| match payment {
                Some((payment, captured)) => {
                    format!(
                        "order {order} is {status}, but its payment is {payment} with {captured} captured"
                    )
                }
                None => format!("order {order} is {status}, but it has no payment"),
            }),
        );
    }
    Ok(check)
}

async fn sagas_end(databases: &Databases) -> Result<InvariantCheck, Error> {
    let rows = sqlx::query_as(
        "SELECT CASE WHEN status IN ('running', 'compensating') AND created_at < now() - interval '10 minutes'
                THEN format('saga %s is %s at %s since %s', id, status, step_name, created_at) END FROM sagas",
    )
    .fetch_all(&databases.orders)
    .await?;
    Ok(InvariantCheck::new(7, "sagas_end", "every saga ends or is parked within 10 minutes").with_rows(rows))
}

async fn no_undo_after_capture(databases: &Databases) -> Result<InvariantCheck, Error> {
    let rows = sqlx::query_as(
        "SELECT CASE WHEN EXISTS (SELECT FROM saga_log u
                    WHERE u.saga_id = c.saga_id AND u.direction = 'undo' AND u.seq > c.seq)
                THEN format('saga %s was undone after its capture', c.saga_id) END
         FROM saga_log c WHERE c.step = 'capture_payment' AND c.direction = 'do' AND c.outcome = 'done'",
    )
    .fetch_all(&databases.orders)
    .await?;
    Ok(InvariantCheck::new(
        8,
        "no_undo_after_capture",
        "no saga step is undone after the capture",
    )
    .with_rows(rows))
}

async fn one_effect(databases: &Databases) -> Result<InvariantCheck, Error> {
    let rows = sqlx::query_as(
        "SELECT CASE WHEN count(*) > 1 THEN format('command %s of saga %s is done %s times', command_id, saga_id, count(*)) END
         FROM saga_log WHERE outcome = 'done' AND command_id IS NOT NULL GROUP BY saga_id, command_id",
    )
    .fetch_all(&databases.orders)
    .await?;
    Ok(InvariantCheck::new(8, "one_effect", "every command takes effect once").with_rows(rows))
}

/// The order in each stored response exists, and no two idempotency keys refer to the same order.
async fn one_key_one_order(databases: &Databases) -> Result<InvariantCheck, Error> {
    let rows = sqlx::query_as(
        "SELECT CASE WHEN count(*) > 1 OR bool_and(o.id IS NULL)
                THEN format('%s keys answered with order %s', count(*), k.body::jsonb ->> 'id') END
         FROM idempotency_keys k LEFT JOIN orders o ON o.id::text = k.body::jsonb ->> 'id'
         WHERE k.operation = 'place_order' GROUP BY k.body::jsonb ->> 'id'",
    )
    .fetch_all(&databases.orders)
    .await?;
    Ok(InvariantCheck::new(
        11,
        "one_key_one_order",
        "every idempotency key leads to one existing order",
    )
    .with_rows(rows))
}
