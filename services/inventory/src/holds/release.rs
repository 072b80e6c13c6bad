//! `ReleaseStock`: undoes a reservation and prevents later ones, even if the reservation has not been delivered yet. Also
//! closes an order whose reservation was refused, which must never touch a pinned hold.

use bson::doc;
use contracts::{
    OrderId,
    saga::{Outcome, ReleaseStock},
};

use super::{
    OrderRecord, RELEASED, SkuHold, full_record_of, holds_of, is_complete, ledger_record_of, refused,
    release_holds, release_strays,
};
use crate::{
    Error,
    database::Database,
    error::is_duplicate,
    stock::{HoldState, Movement, MovementKind},
};

/// Releases all holds of the order, pinned or not, and closes it. Never refused.
pub async fn release(db: &Database, command: &ReleaseStock) -> Result<Outcome, Error> {
    let order = command.order_id;
    let reason = refused(RELEASED, "the order was released");
    mark_closed(db, order, format!("{order}/release"), &reason).await?;
    release_holds(db, &holds_of(db, order).await?, &doc! {}).await?;
    Ok(Outcome::Done)
}

/// Closes the order with `refusal` and releases its holds that are not pinned. If the order was closed before, returns the
/// earlier refusal, so that a redelivered command gets the same reply.
pub(super) async fn close(
    db: &Database,
    order: OrderId,
    lines: usize,
    refusal: Outcome,
) -> Result<Outcome, Error> {
    let first_refusal = if mark_closed(db, order, format!("{order}/close"), &refusal).await? {
        refusal
    } else {
        ledger_record_of(db, order).await?.closed.unwrap_or(refusal)
    };
    settle_closed(db, order, lines, first_refusal).await
}

/// Records in the ledger that the order may no longer hold stock. Returns false if the same entry existed before.
async fn mark_closed(db: &Database, order: OrderId, id: String, why: &Outcome) -> Result<bool, Error> {
    let Outcome::Refused { reason, detail } = why else {
        return Err(Error::Malformed("an order can be closed only with a refusal"));
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

/// Cleans up after a reservation that finds its order closed with `refusal`, and returns the reservation's outcome.
///
/// If the order was released, all its holds are released. If it was refused, pinned holds are kept: they prove that another
/// delivery of the same reservation succeeded first and that the payment is in progress. The condition is part of the
/// update, so a pin between reading and updating is safe, too.
pub(super) async fn settle_closed(
    db: &Database,
    order: OrderId,
    lines: usize,
    refusal: Outcome,
) -> Result<Outcome, Error> {
    // The holds are read before the ledger; see the module's documentation about late commands.
    let holds = holds_of(db, order).await?;
    let record = full_record_of(db, order).await?;
    if !record.committed.is_empty() {
        release_strays(db, order).await?;
        return Ok(Outcome::Done);
    }
    if record.released {
        release_holds(db, &holds, &doc! {}).await?;
        return Ok(refusal);
    }
    let total = holds.len();
    let unpinned: Vec<_> = holds
        .into_iter()
        .filter(|held| held.hold.state == HoldState::Held)
        .collect();
    if release_holds(db, &unpinned, &doc! {"state": "held"}).await? == total {
        return Ok(refusal);
    }
    // The other holds are pinned or were just committed.
    let holds = holds_of(db, order).await?;
    let record = full_record_of(db, order).await?;
    let was_reserved = !record.committed.is_empty() || was_reserved(&holds, &record, lines);
    Ok(if was_reserved { Outcome::Done } else { refusal })
}

/// Whether another delivery of the same reservation has succeeded: every line is held and the order is open, or every hold
/// is pinned.
pub(super) fn was_reserved(holds: &[SkuHold], record: &OrderRecord, lines: usize) -> bool {
    let is_pinned = holds.iter().all(|held| held.hold.state == HoldState::Pinned);
    is_complete(holds, lines) && !record.released && (is_pinned || record.closed.is_none())
}
