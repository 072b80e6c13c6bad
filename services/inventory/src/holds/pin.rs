//! `PinStock` and `UnpinStock`: while the money moves, a hold must not expire.

use bson::{Bson, doc};
use contracts::{
    OrderId,
    saga::{Outcome, PinStock, UnpinStock},
};

use super::{
    HOLD_MILLIS, give_back_strays, holds_and_record_of, holds_of, is_whole, refused, whole_record_of,
};
use crate::{Error, database::Database, stock::HoldState};

/// Takes the expiry off all holds of the order, or refuses if one of them is gone.
pub async fn pin(db: &Database, command: &PinStock) -> Result<Outcome, Error> {
    let order = command.order_id;
    let (holds, mut record) = holds_and_record_of(db, order).await?;
    let whole = holds
        .first()
        .is_some_and(|first| count(holds.len()) == first.hold.lines);
    if !whole {
        record = whole_record_of(db, order).await?;
    }
    if !record.committed.is_empty() {
        // Pinned and committed long ago: this is a duplicate.
        give_back_strays(db, order).await?;
        return Ok(Outcome::Done);
    }
    // A refusal that came late has closed an order that was pinned before; this is a duplicate, too.
    let is_pinned = holds.iter().all(|held| held.hold.state == HoldState::Pinned);
    if whole && is_pinned && !record.released {
        return Ok(Outcome::Done);
    }
    if record.closed.is_some() {
        return Ok(refused("closed", "the order was released"));
    }
    if !whole {
        return Ok(expired());
    }
    let attempt = uuid::Uuid::now_v7().to_string();
    if mark(db, order, &attempt).await? == holds.len() {
        return Ok(Outcome::Done);
    }
    undo(db, order, holds.len(), &attempt).await
}

/// Pins what the order holds, in the name of this attempt. Returns how many holds there were.
pub(super) async fn mark(db: &Database, order: OrderId, attempt: &str) -> Result<usize, Error> {
    let update = doc! {
        "$set": {"holds.$.state": "pinned", "holds.$.expires_at": Bson::Null, "holds.$.pin": attempt},
        "$inc": {"rev": 1_i64},
    };
    let pinned = db
        .stock
        .update_many(doc! {"holds.order_id": order.to_string()}, update)
        .await?;
    Ok(usize::try_from(pinned.matched_count).unwrap_or(usize::MAX))
}

/// Ends an attempt that found less than it had seen before. Another delivery may have pinned everything meanwhile: its holds
/// are marked as its own and stay pinned. What only this attempt has pinned expires again, until the order is released.
pub(super) async fn undo(
    db: &Database,
    order: OrderId,
    lines: usize,
    attempt: &str,
) -> Result<Outcome, Error> {
    let holds = holds_of(db, order).await?;
    if is_whole(&holds, lines) && holds.iter().all(|held| held.hold.state == HoldState::Pinned) {
        return Ok(Outcome::Done);
    }
    let_expire(db, order, Some(attempt)).await?;
    Ok(expired())
}

fn expired() -> Outcome {
    refused("hold_expired", "the items were held for too long")
}

/// Puts the expiry back, 15 minutes from now. Never refused.
pub async fn unpin(db: &Database, command: &UnpinStock) -> Result<Outcome, Error> {
    let_expire(db, command.order_id, None).await?;
    Ok(Outcome::Done)
}

/// Lets the pinned holds of the order expire, or those that one attempt has pinned.
pub(super) async fn let_expire(db: &Database, order: OrderId, attempt: Option<&str>) -> Result<(), Error> {
    let order = order.to_string();
    let held =
        doc! {"$mergeObjects": ["$$hold", {"state": "held", "expires_at": {"$add": ["$$NOW", HOLD_MILLIS]}}]};
    let mut filter = doc! {"order_id": &order, "state": "pinned"};
    let mut mine = vec![
        doc! {"$eq": ["$$hold.order_id", {"$literal": &order}]},
        doc! {"$eq": ["$$hold.state", "pinned"]},
    ];
    if let Some(attempt) = attempt {
        filter.insert("pin", attempt);
        mine.push(doc! {"$eq": ["$$hold.pin", {"$literal": attempt}]});
    }
    let change = doc! {"$cond": [{"$and": mine}, held, "$$hold"]};
    let holds = doc! {"$map": {"input": "$holds", "as": "hold", "in": change}};
    let update = vec![doc! {"$set": {"holds": holds, "rev": {"$add": ["$rev", 1_i64]}}}];
    db.stock
        .update_many(
            doc! {"holds.order_id": &order, "holds": {"$elemMatch": filter}},
            update,
        )
        .await?;
    Ok(())
}

fn count(holds: usize) -> i64 {
    i64::try_from(holds).unwrap_or(i64::MAX)
}
