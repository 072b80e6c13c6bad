//! `CommitStock`: removes the held units from the stock permanently. This step follows the saga's pivot, so the saga retries
//! it until it succeeds.

use bson::doc;
use contracts::saga::{CommitStock, Outcome};

use super::{OrderRecord, SkuHold, full_record_of, holds_and_record_of, refused, release_holds};
use crate::{
    Error,
    batch::{self, Change},
    database::Database,
    outbox,
    stock::{
        Movement, MovementKind,
        store::{plus, with_entry},
    },
};

/// Maximum attempts when concurrent deliveries commit the same order.
const MAX_ATTEMPTS: usize = 5;

/// Commits all holds of the order. Each SKU is committed once, and the update also writes its ledger entry.
pub async fn commit(db: &Database, command: &CommitStock) -> Result<Outcome, Error> {
    let order = command.order_id;
    for _ in 0..MAX_ATTEMPTS {
        let (holds, record) = holds_and_record_of(db, order).await?;
        let Some(lines) = holds.first().map(|held| held.hold.lines) else {
            return Ok(outcome_without_holds(&full_record_of(db, order).await?));
        };
        let (strays, due): (Vec<_>, Vec<_>) = holds
            .into_iter()
            .partition(|held| record.committed.contains(&held.sku));
        release_holds(db, &strays, &doc! {}).await?;
        let committed = record.committed.len() + commit_holds(db, &due).await?;
        if i64::try_from(committed).is_ok_and(|committed| committed == lines) {
            return Ok(Outcome::Done);
        }
        // Another delivery commits the remaining lines. The record is complete only once no hold remains.
    }
    Err(Error::Contended)
}

/// The outcome for an order without holds: done if all its lines were committed, otherwise refused.
fn outcome_without_holds(record: &OrderRecord) -> Outcome {
    let committed = record.committed.len();
    if record.lines > 0 && i64::try_from(committed).is_ok_and(|committed| committed >= record.lines) {
        return Outcome::Done;
    }
    let reason = if record.closed.is_some() {
        "closed"
    } else {
        "hold_expired"
    };
    refused(
        reason,
        format!("only {committed} items of the order were committed"),
    )
}

/// Turns exactly the given holds into movements. Returns how many of them still existed.
pub(super) async fn commit_holds(db: &Database, holds: &[SkuHold]) -> Result<usize, Error> {
    let changes: Result<Vec<_>, Error> = holds.iter().map(|held| movement_of(db, held)).collect();
    batch::apply(db, "stock", changes?).await
}

/// Builds the update that turns one hold into a movement.
fn movement_of(db: &Database, SkuHold { sku, hold }: &SkuHold) -> Result<Change, Error> {
    let id = format!("{}/{sku}/commit", hold.order_id);
    let mut movement = Movement::of_update(id, MovementKind::Commit, hold.qty);
    movement.sku = Some(sku.clone());
    movement.order_id = Some(hold.order_id.clone());
    movement.lines = Some(hold.lines);
    let filter = doc! {"_id": sku, "holds": {"$elemMatch": {"order_id": &hold.order_id, "id": hold.id}}};
    let this = doc! {"$and": [{"$eq": ["$$hold.order_id", {"$literal": &hold.order_id}]}, {"$eq": ["$$hold.id", hold.id]}]};
    let mut stages = vec![doc! {"$set": {
        "on_hand": plus("on_hand", -hold.qty),
        "held": plus("held", -hold.qty),
        "committed": plus("committed", hold.qty),
        "rev": plus("rev", 1),
        "holds": {"$filter": {"input": "$holds", "as": "hold", "cond": {"$not": [this]}}},
        "journal": with_entry(&movement)?,
    }}];
    stages.extend(outbox::stock_changed(db, "committed"));
    Ok(Change::pipeline(filter, stages))
}
