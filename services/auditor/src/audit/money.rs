//! Money: the ledger, the payments and the provider's own books say the same.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use super::Line;
use crate::{Databases, Error};

/// How long a checkout may take until its money moves, and so the longest that a reservation may outlive its order.
const DEADLINE: Duration = Duration::from_mins(2);

pub(super) async fn check(databases: &Databases) -> Result<Vec<Line>, Error> {
    Ok(vec![
        ledger_balances(databases).await?,
        books_agree(databases).await?,
        one_charge(databases).await?,
    ])
}

/// Per transaction and currency.
async fn ledger_balances(databases: &Databases) -> Result<Line, Error> {
    let rows = sqlx::query_as(
        "SELECT CASE WHEN sum(amount) <> 0
                THEN format('ledger transaction %s is off by %s %s', transaction_id, sum(amount), currency) END
         FROM ledger_entries GROUP BY transaction_id, currency",
    )
    .fetch_all(&databases.payments)
    .await?;
    Ok(Line::new(1, "ledger_balances", "the ledger balances").look_at(rows))
}

/// Captured minus refunded is what the ledger holds, and what the provider says.
async fn books_agree(databases: &Databases) -> Result<Line, Error> {
    let ours: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "SELECT p.order_id, p.captured - p.refunded, coalesce(sum(e.amount), 0)::bigint
         FROM payments p
         LEFT JOIN ledger_transactions t ON t.payment_id = p.id
         LEFT JOIN ledger_entries e ON e.transaction_id = t.id AND e.account = 'psp_clearing'
         GROUP BY p.id",
    )
    .fetch_all(&databases.payments)
    .await?;
    let mut theirs: BTreeMap<String, i64> = sqlx::query_as(
        "SELECT i.metadata ->> 'order_id', sum(b.amount)::bigint
         FROM balance_transactions b JOIN payment_intents i ON i.id = b.payment_intent
         WHERE i.metadata ? 'order_id' GROUP BY 1",
    )
    .fetch_all(&databases.psp)
    .await?
    .into_iter()
    .collect();
    let mut line = Line::new(2, "books_agree", "payments, ledger and provider agree");
    for (order, net, ledger) in ours {
        let order = order.to_string();
        let provider = theirs.remove(&order).unwrap_or_default();
        let agree = net == ledger && net == provider;
        line.look_at_order(
            &order,
            (!agree).then(|| format!("order {order}: payments {net}, ledger {ledger}, provider {provider}")),
        );
    }
    for (order, provider) in theirs {
        let text = format!("order {order}: the provider took {provider}, and payments does not know it");
        line.look_at_order(&order, Some(text));
    }
    Ok(line)
}

/// At the provider, where it counts: one authorization that stands and one capture an order, within what was reserved.
async fn one_charge(databases: &Databases) -> Result<Line, Error> {
    let rows = sqlx::query_as(
        "SELECT CASE WHEN count(*) FILTER (WHERE status <> 'canceled') > 1
                  OR count(*) FILTER (WHERE amount_captured > 0) > 1
                  OR bool_or(amount_captured > amount) OR bool_or(amount_refunded > amount_captured)
                THEN format('order %s: %s intents, %s captured', metadata ->> 'order_id', count(*),
                            count(*) FILTER (WHERE amount_captured > 0)) END
         FROM payment_intents WHERE metadata ? 'order_id' GROUP BY metadata ->> 'order_id'",
    )
    .fetch_all(&databases.psp)
    .await?;
    Ok(Line::new(
        3,
        "one_charge",
        "at most one authorization and one capture an order",
    )
    .look_at(rows))
}

/// At the provider, where it costs the shopper: what payments believes is not asked.
pub(super) async fn reservations_end(databases: &Databases) -> Result<Line, Error> {
    let reserved: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, metadata ->> 'order_id' FROM payment_intents
         WHERE status = 'requires_capture' AND metadata ? 'order_id'
             AND created_at < now() - make_interval(secs => $1)",
    )
    .bind(DEADLINE.as_secs_f64())
    .fetch_all(&databases.psp)
    .await?;
    let orders: Vec<&str> = reserved.iter().map(|(_, order)| order.as_str()).collect();
    let over: BTreeMap<String, String> = sqlx::query_as(
        "SELECT id::text, status FROM orders WHERE id::text = ANY($1) AND status IN ('rejected', 'cancelled')
             AND updated_at < now() - make_interval(secs => $2)",
    )
    .bind(&orders)
    .bind(DEADLINE.as_secs_f64())
    .fetch_all(&databases.orders)
    .await?
    .into_iter()
    .collect();
    let mut line = Line::new(
        14,
        "reservations_end",
        "no money stays reserved for a rejected or cancelled order",
    );
    for (intent, order) in &reserved {
        let status = over.get(order);
        line.look_at_order(
            order,
            status.map(|status| format!("order {order} is {status}, and {intent} still reserves its money")),
        );
    }
    Ok(line)
}
