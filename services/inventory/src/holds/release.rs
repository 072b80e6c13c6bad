//! `ReleaseStock`: undo a reservation, whether or not it has happened yet, and let none happen afterwards. Also what follows
//! from a refused reservation, which closes the order in the same way but must never touch a pinned hold.

use bson::doc;
use contracts::{
    OrderId,
    saga::{Outcome, ReleaseStock},
};

use super::{
    Held, RELEASED, Record, give_back, give_back_strays, holds_of, is_whole, record_of, refused,
    whole_record_of,
};
use crate::{
    Error,
    database::Database,
    error::is_duplicate,
    stock::{HoldState, Movement, MovementKind},
};

/// Gives everything back that the order holds, pinned or not, and closes it. Never refused.
pub async fn release(db: &Database, command: &ReleaseStock) -> Result<Outcome, Error> {
    let order = command.order_id;
    let reason = refused(RELEASED, "the order was released");
    mark_closed(db, order, format!("{order}/release"), &reason).await?;
    give_back(db, &holds_of(db, order).await?, &doc! {}).await?;
    Ok(Outcome::Done)
}

/// Closes the order with `refusal` and gives back what it holds and has not pinned. Answers the refusal that it was closed
/// with first, so that a command that comes again gets the same answer.
pub(super) async fn close(
    db: &Database,
    order: OrderId,
    lines: usize,
    refusal: Outcome,
) -> Result<Outcome, Error> {
    let first = if mark_closed(db, order, format!("{order}/close"), &refusal).await? {
        refusal
    } else {
        record_of(db, order).await?.closed.unwrap_or(refusal)
    };
    settle_closed(db, order, lines, first).await
}

/// Enters into the ledger that nothing may be held for the order any more. False if that was there already.
async fn mark_closed(db: &Database, order: OrderId, id: String, why: &Outcome) -> Result<bool, Error> {
    let Outcome::Refused { reason, detail } = why else {
        return Err(Error::Malformed("an order is closed with a refusal"));
    };
    let mut tombstone = Movement::new(id, MovementKind::Close, 0, db.now().await?);
    tombstone.order_id = Some(order.to_string());
    tombstone.reason = Some(reason.clone());
    tombstone.detail = Some(detail.clone());
    match db.movements.insert_one(&tombstone).await {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What is to be done, and answered, by a reservation that finds its order closed with `refusal`.
///
/// A released order gives everything back. A refused one keeps its pinned holds: they prove that another delivery of the
/// same reservation held every item and was answered first, and that the money is moving. The condition is part of the
/// update itself, so a pin that comes between the look and the update is safe, too.
pub(super) async fn settle_closed(
    db: &Database,
    order: OrderId,
    lines: usize,
    refusal: Outcome,
) -> Result<Outcome, Error> {
    // The holds are read first, as in every reservation: see the module about who may be late.
    let holds = holds_of(db, order).await?;
    let record = whole_record_of(db, order).await?;
    if !record.committed.is_empty() {
        give_back_strays(db, order).await?;
        return Ok(Outcome::Done);
    }
    if record.released {
        give_back(db, &holds, &doc! {}).await?;
        return Ok(refusal);
    }
    let all = holds.len();
    let free: Vec<_> = holds
        .into_iter()
        .filter(|held| held.hold.state == HoldState::Held)
        .collect();
    if give_back(db, &free, &doc! {"state": "held"}).await? == all {
        return Ok(refusal);
    }
    // The others are pinned, or were committed just now.
    let holds = holds_of(db, order).await?;
    let record = whole_record_of(db, order).await?;
    let has_succeeded = !record.committed.is_empty() || has_succeeded(&holds, &record, lines);
    Ok(if has_succeeded { Outcome::Done } else { refusal })
}

/// Whether another delivery of the same reservation was answered that it is done: everything is held and the order is open,
/// or everything is pinned.
pub(super) fn has_succeeded(holds: &[Held], record: &Record, lines: usize) -> bool {
    let is_pinned = holds.iter().all(|held| held.hold.state == HoldState::Pinned);
    is_whole(holds, lines) && !record.released && (is_pinned || record.closed.is_none())
}
