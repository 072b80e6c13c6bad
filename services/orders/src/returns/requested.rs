//! A return of shipped items that waits for an operator. Its saga has not started yet, so the lock on the order's row is
//! enough to decide about it.

use contracts::{Money, OrderId, OrderItem, PaymentId, ReturnId, SagaId, UserId};
use serde_json::{Value, json};
use sqlx::{PgConnection, types::Json};
use telemetry::TraceContext;

use super::store;
use crate::{
    error::Error,
    orders::{self, OrderView, ReturnStatus, ReturnView},
    saga::table::Facts,
};

/// A requested return of shipped items. Its order is locked.
#[derive(Debug)]
pub(super) struct RequestedReturn {
    order: OrderId,
    id: ReturnId,
    user: UserId,
    payment: PaymentId,
    payment_method: String,
    /// The amount to refund, calculated when the return was requested.
    amount: Money,
    /// The part of the payment that has not been refunded so far.
    not_refunded: Money,
    items: Vec<OrderItem>,
    reason: String,
}

/// Locks the order and reads its return. Fails unless the return waits for an operator.
pub(super) async fn lock(
    conn: &mut PgConnection,
    order: OrderId,
    id: ReturnId,
) -> Result<RequestedReturn, Error> {
    let found = store::lock(conn, order).await?.ok_or(Error::NotFound("order"))?;
    let row = sqlx::query!(
        r#"SELECT r.status, r.needs_receipt, r.reason, r.amount, (
               SELECT jsonb_agg(jsonb_build_object('sku', i.sku, 'quantity', i.quantity) ORDER BY i.sku)
               FROM return_lines i WHERE i.return_id = r.id) AS "items!: Json<Vec<OrderItem>>"
           FROM returns r WHERE r.id = $1 AND r.order_id = $2"#,
        id.0,
        order.0
    )
    .fetch_optional(conn)
    .await?
    .ok_or(Error::NotFound("return"))?;
    let status = ReturnStatus::parse(&row.status)?;
    if status != ReturnStatus::Requested || !row.needs_receipt {
        let detail = if row.needs_receipt {
            format!("The return is already {}.", status.as_str())
        } else {
            "The items of this return were never shipped, so it needs no receipt.".to_owned()
        };
        return Err(Error::Conflict("not-awaiting-receipt", detail));
    }
    let currency = found.not_refunded.currency;
    Ok(RequestedReturn {
        order,
        id,
        user: found.user,
        payment: found.payment,
        payment_method: found.payment_method,
        amount: Money::new(row.amount, currency),
        not_refunded: found.not_refunded,
        items: row.items.0,
        reason: row.reason,
    })
}

impl RequestedReturn {
    /// Marks the return as received by `operator`, and returns the facts of the saga that refunds and restocks it. If a part of
    /// the payment has been refunded since the request, the return refunds at most the remainder.
    pub(super) async fn receive(mut self, conn: &mut PgConnection, operator: UserId) -> sqlx::Result<Facts> {
        self.amount.amount = self.amount.amount.min(self.not_refunded.amount);
        let event = json!({"return_id": self.id, "actor": operator});
        let event = ("return_received", event);
        self.decide(conn, ReturnStatus::Received, operator, None, event)
            .await?;
        Ok(Facts {
            order: self.order,
            saga: SagaId(self.id.0),
            user: self.user,
            payment: self.payment,
            payment_method: self.payment_method,
            amount: self.amount,
            items: self.items,
            reason: self.reason,
        })
    }

    /// Marks the return as refused by `operator` for this reason.
    pub(super) async fn refuse(
        self,
        conn: &mut PgConnection,
        operator: UserId,
        reason: &str,
    ) -> sqlx::Result<()> {
        let event = json!({"return_id": self.id, "refusal": reason, "actor": operator});
        let event = ("return_refused", event);
        self.decide(conn, ReturnStatus::Refused, operator, Some(reason), event)
            .await
    }

    /// Writes the operator's decision and its event.
    async fn decide(
        &self,
        conn: &mut PgConnection,
        status: ReturnStatus,
        operator: UserId,
        refusal_reason: Option<&str>,
        (event, data): (&str, Value),
    ) -> sqlx::Result<()> {
        let trace = TraceContext::current();
        sqlx::query!(
            "WITH decided AS (
                 UPDATE returns SET status = $2, decided_by = $3, refusal_reason = $4, amount = $5, updated_at = now()
                 WHERE id = $1 RETURNING order_id
             ), changed AS (
                 UPDATE orders SET updated_at = now() FROM decided WHERE orders.id = decided.order_id RETURNING orders.*
             )
             INSERT INTO order_events (order_id, type, data, traceparent, tracestate)
             SELECT id, $6, $7::jsonb || jsonb_build_object('status', status, 'payment_status', payment_status,
                 'fulfilment_status', fulfilment_status), $8, $9
             FROM changed",
            self.id.0,
            status.as_str(),
            operator.0,
            refusal_reason,
            self.amount.amount,
            event,
            data,
            trace.traceparent,
            trace.tracestate
        )
        .execute(conn)
        .await
        .map(|_| ())
    }
}

/// Reads a return as the API shows it.
pub(super) async fn view(conn: &mut PgConnection, order: OrderId, id: ReturnId) -> Result<ReturnView, Error> {
    let order: OrderView = orders::store::find(conn, order, None)
        .await?
        .ok_or(Error::NotFound("order"))?;
    let found = order.returns.into_iter().find(|candidate| candidate.id == id);
    found.ok_or(Error::NotFound("return"))
}
