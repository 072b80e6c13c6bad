//! `PinStock` and `UnpinStock`: a pinned hold does not expire. The saga pins the holds while it captures the payment.

use bson::{Bson, doc};
use contracts::{
    OrderId,
    saga::{Outcome, PinStock, UnpinStock},
};

use super::{
    UNPINNED_HOLD_MILLIS, full_record_of, holds_and_record_of, holds_of, is_complete, refused, release_strays,
};
use crate::{Error, database::Database, stock::HoldState};

/// Pins all holds of the order so that they do not expire. Refuses if a hold has expired or the order is closed.
pub async fn pin(db: &Database, command: &PinStock) -> Result<Outcome, Error> {
    let order = command.order_id;
    let (holds, mut record) = holds_and_record_of(db, order).await?;
    let is_complete = holds
        .first()
        .is_some_and(|first| count(holds.len()) == first.hold.lines);
    if !is_complete {
        record = full_record_of(db, order).await?;
    }
    if !record.committed.is_empty() {
        // The order was pinned and committed before, so this is a duplicate.
        release_strays(db, order).await?;
        return Ok(Outcome::Done);
    }
    // If the order is closed although its holds are pinned, a late refusal closed it afterwards. This is a duplicate, too.
    let is_pinned = holds.iter().all(|held| held.hold.state == HoldState::Pinned);
    if is_complete && is_pinned && !record.released {
        return Ok(Outcome::Done);
    }
    if record.closed.is_some() {
        return Ok(refused("closed", "the order was released"));
    }
    if !is_complete {
        return Ok(expired());
    }
    let attempt = uuid::Uuid::now_v7().to_string();
    if pin_holds(db, order, &attempt).await? == holds.len() {
        return Ok(Outcome::Done);
    }
    undo_pin(db, order, holds.len(), &attempt).await
}

/// Pins the order's holds and marks them with this attempt. Returns the number of holds.
pub(super) async fn pin_holds(db: &Database, order: OrderId, attempt: &str) -> Result<usize, Error> {
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

/// Handles an attempt that pinned fewer holds than it had read. If another delivery has pinned everything in the meantime,
/// this is done as well, because those holds are marked with the other attempt. Otherwise the holds that this attempt
/// pinned get an expiry again.
pub(super) async fn undo_pin(
    db: &Database,
    order: OrderId,
    lines: usize,
    attempt: &str,
) -> Result<Outcome, Error> {
    let holds = holds_of(db, order).await?;
    if is_complete(&holds, lines) && holds.iter().all(|held| held.hold.state == HoldState::Pinned) {
        return Ok(Outcome::Done);
    }
    restart_expiry(db, order, Some(attempt)).await?;
    Ok(expired())
}

fn expired() -> Outcome {
    refused("hold_expired", "the items were held for too long")
}

/// Unpins the holds of the order, so that they expire 15 minutes from now. Never refused.
pub async fn unpin(db: &Database, command: &UnpinStock) -> Result<Outcome, Error> {
    restart_expiry(db, command.order_id, None).await?;
    Ok(Outcome::Done)
}

/// Sets an expiry of 15 minutes on the order's pinned holds, or only on those pinned by one attempt.
pub(super) async fn restart_expiry(
    db: &Database,
    order: OrderId,
    attempt: Option<&str>,
) -> Result<(), Error> {
    let order = order.to_string();
    let held = doc! {"$mergeObjects": ["$$hold", {"state": "held", "expires_at": {"$add": ["$$NOW", UNPINNED_HOLD_MILLIS]}}]};
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
