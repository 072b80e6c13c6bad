//! What a stream tells, read in one snapshot of the database: an order, its checkout, and its events so far belong
//! together, so that nothing is lost or told twice between a snapshot and the changes that follow it.

use chrono::{DateTime, Utc};
use contracts::{OrderId, UserId};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::{
    orders::{self, OrderView},
    saga::timeline::{self, OrderSagas},
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
#[derive(Debug)]
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

/// The order, if it is `owner`'s, and its events after `after`, if that is a number it has reached.
pub(super) async fn read(
    pool: &PgPool,
    id: OrderId,
    owner: Option<UserId>,
    after: Option<i64>,
) -> sqlx::Result<Option<Seen>> {
    let mut snapshot = pool
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let Some(order) = orders::store::find(&mut snapshot, id, owner).await? else {
        return Ok(None);
    };
    let Some(saga) = timeline::of_order(&mut snapshot, id, owner).await? else {
        return Ok(None);
    };
    let reached = sqlx::query!(
        r#"SELECT coalesce(max(id), 0) AS "newest!", now() AS "now!" FROM order_events WHERE order_id = $1"#,
        id.0
    )
    .fetch_one(&mut *snapshot)
    .await?;
    let told = match after.filter(|after| (0..=reached.newest).contains(after)) {
        None => None,
        Some(after) => {
            let told = sqlx::query_as!(
                Told,
                "SELECT id, type AS kind, created_at AS at, data FROM order_events
                 WHERE order_id = $1 AND id > $2 ORDER BY id LIMIT $3",
                id.0,
                after,
                BATCH
            );
            Some(told.fetch_all(&mut *snapshot).await?)
        }
    };
    snapshot.commit().await?;
    Ok(Some(Seen {
        snapshot: OrderSnapshot { order, saga },
        newest: reached.newest,
        now: reached.now,
        told,
    }))
}
