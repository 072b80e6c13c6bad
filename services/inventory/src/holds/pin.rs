//! `PinStock` and `UnpinStock`: while the money moves, a hold must not expire.

use bson::{Bson, doc};
use contracts::{
    OrderId,
    saga::{Outcome, PinStock, UnpinStock},
};

use super::{HOLD_MILLIS, give_back_strays, holds_of, record_of, refused, whole_record_of};
use crate::{Error, database::Database, stock::HoldState};

/// Takes the expiry off all holds of the order, or refuses if one of them is gone.
pub async fn pin(db: &Database, command: &PinStock) -> Result<Outcome, Error> {
    let order = command.order_id;
    let holds = holds_of(db, order).await?;
    let whole = holds
        .first()
        .is_some_and(|first| count(holds.len()) == first.hold.lines);
    let record = if whole {
        record_of(db, order).await?
    } else {
        whole_record_of(db, order).await?
    };
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
    if whole {
        let update = doc! {
            "$set": {"holds.$.state": "pinned", "holds.$.expires_at": Bson::Null},
            "$inc": {"rev": 1_i64},
        };
        let pinned = db
            .stock
            .update_many(doc! {"holds.order_id": order.to_string()}, update)
            .await?;
        if pinned.matched_count == u64::try_from(holds.len()).unwrap_or_default() {
            return Ok(Outcome::Done);
        }
    }
    // What is still there expires as it would have, until the order is released.
    let_expire(db, order).await?;
    Ok(refused("hold_expired", "the items were held for too long"))
}

/// Puts the expiry back, 15 minutes from now. Never refused.
pub async fn unpin(db: &Database, command: &UnpinStock) -> Result<Outcome, Error> {
    let_expire(db, command.order_id).await?;
    Ok(Outcome::Done)
}

async fn let_expire(db: &Database, order: OrderId) -> Result<(), Error> {
    let order = order.to_string();
    let held =
        doc! {"$mergeObjects": ["$$hold", {"state": "held", "expires_at": {"$add": ["$$NOW", HOLD_MILLIS]}}]};
    let mine = doc! {"$and": [{"$eq": ["$$hold.order_id", {"$literal": &order}]}, {"$eq": ["$$hold.state", "pinned"]}]};
    let holds = doc! {"$map": {"input": "$holds", "as": "hold", "in": {"$cond": [mine, held, "$$hold"]}}};
    let update = vec![doc! {"$set": {"holds": holds, "rev": {"$add": ["$rev", 1_i64]}}}];
    let filter = doc! {"holds": {"$elemMatch": {"order_id": &order, "state": "pinned"}}};
    db.stock.update_many(filter, update).await?;
    Ok(())
}

fn count(holds: usize) -> i64 {
    i64::try_from(holds).unwrap_or(i64::MAX)
}
