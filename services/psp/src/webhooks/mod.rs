//! Webhook events. An event is recorded in the transaction that makes the change it reports, and delivered later by a
//! background worker.

mod deliver;
mod signature;

use serde::Serialize;
use sqlx::PgConnection;
use telemetry::TraceContext;

pub use deliver::Deliverer;

#[derive(Serialize)]
struct Event<'a, T> {
    id: &'a str,
    object: &'static str,
    r#type: &'static str,
    created: i64,
    data: Data<'a, T>,
}

#[derive(Serialize)]
struct Data<'a, T> {
    object: &'a T,
}

/// Records an event of type `kind`, such as `payment_intent.captured`, with the current state of `object`.
pub(crate) async fn record_event<T: Serialize + Sync>(
    conn: &mut PgConnection,
    kind: &'static str,
    object: &T,
) -> sqlx::Result<()> {
    let id = format!("evt_{}", uuid::Uuid::now_v7().simple());
    let event = Event {
        id: &id,
        object: "event",
        r#type: kind,
        created: chrono::Utc::now().timestamp(),
        data: Data { object },
    };
    let body = serde_json::to_string(&event).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let trace = TraceContext::current();
    sqlx::query!(
        "INSERT INTO webhook_outbox (event_id, body, traceparent, tracestate) VALUES ($1, $2, $3, $4)",
        id,
        body,
        trace.traceparent,
        trace.tracestate
    )
    .execute(conn)
    .await
    .map(|_| ())
}
