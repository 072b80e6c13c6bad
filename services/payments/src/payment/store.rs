//! Database queries for payments.

use chrono::{DateTime, Utc};
use contracts::{
    Money, OrderId, PaymentId, UserId,
    events::{DomainEvent as _, PaymentEvent},
    saga::AuthorizePayment,
};
use sqlx::PgConnection;
use telemetry::TraceContext;
use uuid::Uuid;

use super::{Failure, Payment, Status};

struct Row {
    id: Uuid,
    order_id: Uuid,
    user_id: Uuid,
    status: String,
    amount: i64,
    currency: String,
    payment_method: String,
    provider_id: Option<String>,
    authorized: i64,
    captured: i64,
    refunded: i64,
    refunding: i64,
    failure_code: Option<String>,
    failure_message: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Row {
    fn into_payment(self) -> sqlx::Result<Payment> {
        let currency = self
            .currency
            .parse()
            .map_err(|error: contracts::InvalidCurrency| sqlx::Error::Decode(error.into()))?;
        let money = |amount| Money::new(amount, currency);
        Ok(Payment {
            id: PaymentId(self.id),
            order_id: OrderId(self.order_id),
            user_id: UserId(self.user_id),
            status: Status::parse(&self.status)?,
            amount: money(self.amount),
            method: self.payment_method,
            provider_id: self.provider_id,
            authorized: money(self.authorized),
            captured: money(self.captured),
            refunded: money(self.refunded),
            refunding: money(self.refunding),
            failure: self.failure_code.map(|code| Failure {
                code,
                message: self.failure_message.unwrap_or_default(),
            }),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Inserts the payment of an order and locks it until the transaction ends. If the order already has a payment, or a
/// tombstone because a void came first, that one is locked and returned. The no-op update is what locks and returns an
/// existing row.
pub(crate) async fn insert(conn: &mut PgConnection, command: &AuthorizePayment) -> sqlx::Result<Payment> {
    sqlx::query_as!(
        Row,
        "INSERT INTO payments (id, order_id, user_id, status, amount, currency, payment_method)
         VALUES ($1, $2, $3, 'created', $4, $5, $6)
         ON CONFLICT ON CONSTRAINT payments_one_an_order DO UPDATE SET order_id = payments.order_id
         RETURNING id, order_id, user_id, status, amount, currency, payment_method, provider_id, authorized, captured,
             refunded, refunding, failure_code, failure_message, created_at, updated_at",
        command.payment_id.0,
        command.order_id.0,
        command.user_id.0,
        command.amount.amount,
        command.amount.currency.as_str(),
        command.payment_method
    )
    .fetch_one(conn)
    .await?
    .into_payment()
}

/// Locks and returns the payment of an order, like [`insert`], but inserts a tombstone if there is none: a voided payment
/// without owner and amount, so that a later authorization finds the order closed. `XXX` is ISO 4217 for "no currency".
pub(crate) async fn insert_tombstone(conn: &mut PgConnection, order: OrderId) -> sqlx::Result<Payment> {
    sqlx::query_as!(
        Row,
        "INSERT INTO payments (id, order_id, user_id, status, tombstone, amount, currency, payment_method)
         VALUES ($1, $2, $3, 'voided', true, 0, 'XXX', '')
         ON CONFLICT ON CONSTRAINT payments_one_an_order DO UPDATE SET order_id = payments.order_id
         RETURNING id, order_id, user_id, status, amount, currency, payment_method, provider_id, authorized, captured,
             refunded, refunding, failure_code, failure_message, created_at, updated_at",
        Uuid::now_v7(),
        order.0,
        Uuid::nil()
    )
    .fetch_one(conn)
    .await?
    .into_payment()
}

/// Finds the payment of an order, or its tombstone, and locks it until the transaction ends.
pub(crate) async fn lock_by_order(conn: &mut PgConnection, order: OrderId) -> sqlx::Result<Option<Payment>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, order_id, user_id, status, amount, currency, payment_method, provider_id, authorized, captured,
             refunded, refunding, failure_code, failure_message, created_at, updated_at
         FROM payments WHERE order_id = $1 FOR UPDATE",
        order.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_payment).transpose()
}

/// Finds a payment that is not a tombstone and locks it until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection, id: PaymentId) -> sqlx::Result<Option<Payment>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT id, order_id, user_id, status, amount, currency, payment_method, provider_id, authorized, captured,
             refunded, refunding, failure_code, failure_message, created_at, updated_at
         FROM payments WHERE id = $1 AND NOT tombstone FOR UPDATE",
        id.0
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_payment).transpose()
}

/// Lists payments that are not tombstones, newest first. Only the filters that are set apply.
pub(crate) async fn list(conn: &mut PgConnection, filter: Filter, limit: i64) -> sqlx::Result<Vec<Payment>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, order_id, user_id, status, amount, currency, payment_method, provider_id, authorized, captured,
             refunded, refunding, failure_code, failure_message, created_at, updated_at
         FROM payments
         WHERE NOT tombstone AND ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR order_id = $2)
             AND ($3::uuid IS NULL OR user_id = $3) AND ($4::uuid IS NULL OR id < $4)
         ORDER BY id DESC LIMIT $5",
        filter.id.map(|id| id.0),
        filter.order.map(|id| id.0),
        filter.owner.map(|id| id.0),
        filter.before.map(|id| id.0),
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_payment).collect()
}

/// Filters of [`list`]; those that are `None` do not apply.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filter {
    pub(crate) id: Option<PaymentId>,
    pub(crate) order: Option<OrderId>,
    /// `None` for an operator, who sees the payments of all users.
    pub(crate) owner: Option<UserId>,
    /// The last payment of the previous page.
    pub(crate) before: Option<PaymentId>,
}

/// Saves the status, amounts and failure of a locked payment, and the domain event of the change if it has one.
pub(crate) async fn save(
    conn: &mut PgConnection,
    payment: &Payment,
    event: Option<&PaymentEvent>,
) -> sqlx::Result<()> {
    let trace = TraceContext::current();
    sqlx::query_file!(
        "src/payment/save.sql",
        payment.id.0,
        payment.status.as_str(),
        payment.provider_id,
        payment.authorized.amount,
        payment.captured.amount,
        payment.refunded.amount,
        payment.refunding.amount,
        payment.failure.as_ref().map(|failure| &failure.code),
        payment.failure.as_ref().map(|failure| &failure.message),
        event.map(PaymentEvent::kind),
        event.map(|event| event.version().cast_signed()),
        event.map(PaymentEvent::data),
        trace.traceparent,
        trace.tracestate
    )
    .execute(conn)
    .await
    .map(|_| ())
}
