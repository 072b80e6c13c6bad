//! Invariants of money: payments, the ledger and the payment provider's books agree.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use super::InvariantCheck;
use crate::{Databases, Error};

/// Maximum time from the start of a checkout to its capture, and so the longest time that an authorization may outlive a
/// failed order.
const DEADLINE: Duration = Duration::from_mins(2);

pub(super) async fn check(databases: &Databases) -> Result<Vec<InvariantCheck>, Error> {
    Ok(vec![
        ledger_balances(databases).await?,
        books_agree(databases).await?,
        one_charge(databases).await?,
    ])
}

/// The entries of each ledger transaction sum to zero per currency.
async fn ledger_balances(databases: &Databases) -> Result<InvariantCheck, Error> {
    let rows = sqlx::query_as(
        "SELECT CASE WHEN sum(amount) <> 0
                THEN format('ledger transaction %s is off by %s %s', transaction_id, sum(amount), currency) END
         FROM ledger_entries GROUP BY transaction_id, currency",
    )
    .fetch_all(&databases.payments)
    .await?;
    Ok(InvariantCheck::new(1, "ledger_balances", "the ledger balances").with_rows(rows))
}

/// Captured minus refunded equals the ledger's balance and the provider's balance, for each order.
async fn books_agree(databases: &Databases) -> Result<InvariantCheck, Error> {
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
    let mut check = InvariantCheck::new(2, "books_agree", "payments, ledger and provider agree");
    for (order, net, ledger) in ours {
        let order = order.to_string();
        let provider = theirs.remove(&order).unwrap_or_default();
        let agree = net == ledger && net == provider;
        check.record_for_order(
            &order,
            (!agree).then(|| format!("order {order}: payments {net}, ledger {ledger}, provider {provider}")),
        );
    }
    for (order, provider) in theirs {
        let text = format!("order {order}: the provider took {provider}, but payments has no record of it");
        check.record_for_order(&order, Some(text));
    }
    Ok(check)
}

/// The provider, which moves the real money, has at most one live authorization and one capture per order. The capture
/// does not exceed the authorization, and the refund does not exceed the capture.
async fn one_charge(databases: &Databases) -> Result<InvariantCheck, Error> {
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
    Ok(InvariantCheck::new(
        3,
        "one_charge",
        "at most one authorization and one capture per order",
    )
    .with_rows(rows))
}

/// No authorization stays open at the provider for a failed order. This reads the provider's books rather than payments',
/// because an open authorization there blocks the shopper's money.
pub(super) async fn reservations_end(databases: &Databases) -> Result<InvariantCheck, Error> {
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
    let mut check = InvariantCheck::new(
        14,
        "reservations_end",
        "no money stays authorized for a rejected or cancelled order",
    );
    for (intent, order) in &reserved {
        let status = over.get(order);
        check.record_for_order(
            order,
            status
                .map(|status| format!("order {order} is {status}, but {intent} still reserves money for it")),
        );
    }
    Ok(check)
}
