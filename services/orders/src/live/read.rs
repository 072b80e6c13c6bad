//! Reads an order, its sagas and its new events in one statement, and so from one snapshot of the database. That is why no
//! event is lost or sent twice between a snapshot and the changes that follow it.

use chrono::{DateTime, Utc};
use contracts::{OrderId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{PgPool, types::Json};
use utoipa::ToSchema;

use crate::{
    orders::OrderView,
    saga::timeline::{Document, OrderSagas},
};

/// Maximum number of events read at once.
const BATCH: i64 = 100;

/// The data of `event: snapshot`: the current state of the order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderSnapshot {
    /// The order at the time of the event `id`.
    pub order: OrderView,
    /// The order's checkout, and the sagas of its returns.
    pub saga: OrderSagas,
}

/// The data of `event: change`: one event of the order. When several events are sent together, only the last of them carries
/// the state of the order and of its sagas.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderChange {
    /// Type of the event, such as `payment_authorized`. It is `saga_progressed` if only a saga has moved, for example by a
    /// resend, and the order itself is unchanged.
    #[schema(example = "payment_authorized")]
    pub r#type: String,
    /// Time at which the event happened.
    pub at: DateTime<Utc>,
    /// Details of the event. If a saga has moved: `saga_id`, `step`, `direction`, `outcome`, `attempt`, `saga_status`, and
    /// `next`, the step whose command was sent. If the order has changed: `status`, `payment_status` and
    /// `fulfilment_status`.
    #[schema(value_type = Object)]
    pub data: Value,
    /// The order after this event. Absent if another event follows immediately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderView>,
    /// The order's checkout and the sagas of its returns after this event. Present only where `order` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saga: Option<OrderSagas>,
}

/// The current state of an order, and the events since the client's last one.
#[derive(Debug)]
pub(super) struct LiveState {
    pub(super) snapshot: OrderSnapshot,
    /// The number of the order's newest event; 0 if it has none.
    pub(super) newest: i64,
    /// The current time of the database's clock.
    pub(super) now: DateTime<Utc>,
    /// The events after the number that the caller passed; none if the order has not reached that number.
    pub(super) events: Option<Vec<LoggedEvent>>,
}

/// An event as it is stored in `order_events`.
#[derive(Debug, Deserialize)]
pub(super) struct LoggedEvent {
    pub(super) id: i64,
    kind: String,
    at: DateTime<Utc>,
    data: Value,
}

impl LoggedEvent {
    /// Converts the event for the client, with the state after it if `snapshot` is given.
    pub(super) fn into_change(self, snapshot: Option<OrderSnapshot>) -> OrderChange {
        let (order, saga) = snapshot.map(|snapshot| (snapshot.order, snapshot.saga)).unzip();
        OrderChange {
            r#type: self.kind,
            at: self.at,
            data: self.data,
            order,
            saga,
        }
    }
}

/// Reads an order and its events after the number `after`. None if the order does not exist or, where an owner is given,
/// belongs to another user.
pub(super) async fn read(
    pool: &PgPool,
    id: OrderId,
    owner: Option<UserId>,
    after: Option<i64>,
) -> sqlx::Result<Option<LiveState>> {
    let row = sqlx::query!(
        r#"SELECT o.document AS "order!: Json<OrderView>",
               (SELECT coalesce(jsonb_agg(s.document ORDER BY s.id <> s.order_id, s.created_at, s.id), '[]')
                FROM saga_documents s WHERE s.order_id = o.id) AS "sagas!: Json<Vec<Document>>",
               (SELECT coalesce(max(e.id), 0) FROM order_events e WHERE e.order_id = o.id) AS "newest!",
               (SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.id), '[]')
                FROM (SELECT id, type AS kind, created_at AS at, data FROM order_events
                      WHERE order_id = o.id AND id > $3 ORDER BY id LIMIT $4) AS e) AS "events!: Json<Vec<LoggedEvent>>",
               now() AS "now!"
           FROM order_documents o WHERE o.id = $1 AND ($2::uuid IS NULL OR o.user_id = $2)"#,
        id.0,
        owner.map(|owner| owner.0),
        after.unwrap_or(i64::MAX),
        BATCH
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|row| {
        let is_reached = after.is_some_and(|after| (0..=row.newest).contains(&after));
        Some(LiveState {
            snapshot: OrderSnapshot {
                order: row.order.0,
                saga: OrderSagas::of(row.sagas.0)?,
            },
            newest: row.newest,
            now: row.now,
            events: is_reached.then_some(row.events.0),
        })
    }))
}
