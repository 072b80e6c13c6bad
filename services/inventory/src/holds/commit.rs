//! `CommitStock`: the held units leave for good. It follows the pivot, so it is repeated until it is done.

use bson::doc;
use contracts::saga::{CommitStock, Outcome};

use super::{Held, Record, give_back, holds_and_record_of, refused, whole_record_of};
use crate::{
    Error,
    batch::{self, Change},
    database::Database,
    outbox,
    stock::{
        Movement, MovementKind,
        store::{entered, plus},
    },
};

/// How often to look again when others commit the same order at the same time.
const TRIES: usize = 5;

/// Takes the units of all holds off the books, each SKU once, with an entry of the ledger in the same update.
pub async fn commit(db: &Database, command: &CommitStock) -> Result<Outcome, Error> {
    let order = command.order_id;
    for _ in 0..TRIES {
        let (holds, record) = holds_and_record_of(db, order).await?;
        let Some(lines) = holds.first().map(|held| held.hold.lines) else {
            return Ok(settled(&whole_record_of(db, order).await?));
        };
        let (strays, due): (Vec<_>, Vec<_>) = holds
            .into_iter()
            .partition(|held| record.committed.contains(&held.sku));
        give_back(db, &strays, &doc! {}).await?;
        let left = record.committed.len() + take_off(db, &due).await?;
        if i64::try_from(left).is_ok_and(|left| left == lines) {
            return Ok(Outcome::Done);
        }
        // Others did, or do, the rest: only without any hold left the record is complete.
    }
    Err(Error::Contended)
}

/// What came of an order that holds nothing any more.
fn settled(record: &Record) -> Outcome {
    let left = record.committed.len();
    if record.lines > 0 && i64::try_from(left).is_ok_and(|left| left >= record.lines) {
        return Outcome::Done;
    }
    let reason = if record.closed.is_some() {
        "closed"
    } else {
        "hold_expired"
    };
    refused(reason, format!("only {left} items were held until the end"))
}

/// Turns the very holds that were read into movements. Returns how many of them were still there.
pub(super) async fn take_off(db: &Database, holds: &[Held]) -> Result<usize, Error> {
    let changes: Result<Vec<_>, Error> = holds.iter().map(|held| movement_of(db, held)).collect();
    batch::apply(db, "stock", changes?).await
}

/// Turns one hold into a movement.
fn movement_of(db: &Database, Held { sku, hold }: &Held) -> Result<Change, Error> {
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
        "journal": entered(&movement)?,
    }}];
    stages.extend(outbox::stock_changed(db, "committed"));
    Ok(Change::pipeline(filter, stages))
}
