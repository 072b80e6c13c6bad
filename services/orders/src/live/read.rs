//! What a stream tells, read in one snapshot of the database: an order, its checkout, and its events so far belong
//! together, so that nothing is lost or told twice between a snapshot and the changes that follow it.

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

/// Events read at once.
const BATCH: i64 = 100;

/// The data of `event: snapshot`: how things are.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderSnapshot {
    /// The order.
    pub order: OrderView,
    /// Its checkout, and the sagas of its returns.
    pub saga: OrderSagas,
}

/// The data of `event: change`: what happened, and on the last of those that happened together how things are then.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderChange {
    /// Such as `payment_authorized`; `saga_progressed` where the order stays as it is.
    #[schema(example = "payment_authorized")]
    pub r#type: String,
    /// When.
    pub at: DateTime<Utc>,
    /// For a move of a saga: `saga_id`, `step`, `direction`, `outcome`, `attempt`, `saga_status`, and `next`, whose
    /// command was sent. For every change of the order its statuses.
    #[schema(value_type = Object)]
    pub data: Value,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderView>,
    /// Its checkout, and the sagas of its returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saga: Option<OrderSagas>,
}

/// An order as it is.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) snapshot: OrderSnapshot,
    /// The number of its newest event.
    pub(super) newest: i64,
    /// By the database's clock.
    pub(super) now: DateTime<Utc>,
    /// What was told since, if that was asked for.
    pub(super) told: Option<Vec<Told>>,
}

/// A row of the log.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    pub(super) id: i64,
    kind: String,
    at: DateTime<Utc>,
    data: Value,
}

impl Told {
    pub(super) fn change(self, now: Option<OrderSnapshot>) -> OrderChange {
        let (order, saga) = now.map(|now| (now.order, now.saga)).unzip();
        OrderChange {
            r#type: self.kind,
            at: self.at,
            data: self.data,
            order,
            saga,
        }
    }
}

/// The order, if it is `owner`'s, and its events after `after`, if that is a number it has reached. One statement, so that
/// all of it is of one moment.
pub(super) async fn read(
    pool: &PgPool,
    id: OrderId,
    owner: Option<UserId>,
    after: Option<i64>,
) -> sqlx::Result<Option<Seen>> {
    let row = sqlx::query!(
        r#"SELECT o.document AS "order!: Json<OrderView>",
               (SELECT coalesce(jsonb_agg(s.document ORDER BY s.id <> s.order_id, s.created_at, s.id), '[]')
                FROM saga_documents s WHERE s.order_id = o.id) AS "sagas!: Json<Vec<Document>>",
               (SELECT coalesce(max(e.id), 0) FROM order_events e WHERE e.order_id = o.id) AS "newest!",
               (SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.id), '[]')
                FROM (SELECT id, type AS kind, created_at AS at, data FROM order_events
                      WHERE order_id = o.id AND id > $3 ORDER BY id LIMIT $4) AS e) AS "told!: Json<Vec<Told>>",
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
        Some(Seen {
            snapshot: OrderSnapshot {
                order: row.order.0,
                saga: OrderSagas::of(row.sagas.0)?,
            },
            newest: row.newest,
            now: row.now,
            told: is_reached.then_some(row.told.0),
        })
    }))
}
