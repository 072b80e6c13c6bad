//! The saga commands on stock: reserve, release, pin, unpin, commit and restock. Every effect is one conditional update of
//! one stock document. The hold in that document also serves as the inbox: a redelivered command finds its own effect and
//! gets the same reply.
//!
//! Commands may be redelivered, delivered concurrently, or delivered after later commands of the same saga. Three rules keep
//! that harmless:
//!
//! - **`close` entries in the ledger.** A release or a refusal first records that the order is closed and then reads the
//!   holds. A reservation first takes its holds and then checks whether the order is closed. Whichever is second sees the
//!   other, so no hold remains for a closed order. The entry is in the ledger and not in the stock documents for two
//!   reasons: a release does not know which SKUs a concurrent reservation will touch, and the document of a popular SKU
//!   would grow without limit.
//! - **A refusal never touches a pinned hold.** Of two deliveries of one reservation, one may be refused after the other
//!   succeeded and the saga pinned the holds. Only a release, which the saga sends to abort, removes pinned holds. This is
//!   why the ledger has separate entries: `{order}/close` for a refusal and `{order}/release` for a release, whose reason
//!   is `closed`.
//! - **A hold's `id`.** A commit or release names exactly the hold that it read. A hold that a late duplicate takes after
//!   the order was committed has another id. The ledger shows that it is a stray, and it is released.

mod commands;
mod commit;
mod pin;
mod release;
mod reserve;
mod restock;
pub mod sweeper;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bson::{Document, doc};
use contracts::{OrderId, OrderItem, saga::Outcome};
use futures::TryStreamExt as _;

pub use commands::{Commands, perform};
pub use commit::commit;
pub use pin::{pin, unpin};
pub use release::release;
pub use reserve::reserve;
pub use restock::restock;

use crate::{
    Error,
    batch::{self, Change},
    database::Database,
    stock::{Hold, Movement, MovementKind, Stock},
};

/// Lifetime of a hold after it was unpinned, in milliseconds (15 minutes).
const UNPINNED_HOLD_MILLIS: i64 = 15 * 60 * 1_000;

/// The reason of a `close` entry that a release writes. Refusals use other reasons.
const RELEASED: &str = "closed";

/// A hold together with its SKU.
struct SkuHold {
    sku: String,
    hold: Hold,
}

/// Reads the holds of an order, sorted by SKU.
async fn holds_of(db: &Database, order: OrderId) -> Result<Vec<SkuHold>, Error> {
    let order = order.to_string();
    let stocks: Vec<Document> = db
        .stock
        .clone_with_type()
        .find(doc! {"holds.order_id": &order})
        .projection(doc! {"holds": {"$elemMatch": {"order_id": &order}}})
        .sort(doc! {"_id": 1})
        .await?
        .try_collect()
        .await?;
    stocks
        .into_iter()
        .map(|stock| {
            let found: StockHolds =
                bson::deserialize_from_document(stock).map_err(mongodb::error::Error::from)?;
            found.into_hold()
        })
        .collect()
}

/// A stock document reduced to the holds of one order.
#[derive(serde::Deserialize)]
struct StockHolds {
    #[serde(rename = "_id")]
    sku: String,
    holds: Vec<Hold>,
}

impl StockHolds {
    /// The order's only hold on this SKU.
    fn into_hold(self) -> Result<SkuHold, Error> {
        let hold = self.holds.into_iter().next();
        let hold = hold.ok_or(Error::Malformed(
            "a stock document lacks the hold that it was found by",
        ))?;
        Ok(SkuHold { sku: self.sku, hold })
    }
}

/// What the ledger records about an order.
#[derive(Default)]
struct OrderRecord {
    /// The SKUs that were committed.
    committed: BTreeSet<String>,
    /// Number of lines of the order, known only if at least one was committed; otherwise 0.
    lines: i64,
    /// Why the order may no longer hold stock. If a reservation was refused, this is its outcome, which every duplicate must
    /// return.
    closed: Option<Outcome>,
    /// Whether the saga released the order, so that even pinned holds are released.
    released: bool,
}

impl OrderRecord {
    fn add(&mut self, movement: Movement) {
        match movement.kind {
            MovementKind::Commit => {
                self.lines = movement.lines.unwrap_or_default();
                self.committed.extend(movement.sku);
            }
            MovementKind::Close => {
                let reason = movement.reason.as_deref().unwrap_or(RELEASED);
                let answer = refused(reason, movement.detail.unwrap_or_default());
                if reason == RELEASED {
                    self.released = true;
                    self.closed.get_or_insert(answer);
                } else {
                    self.closed = Some(answer);
                }
            }
            MovementKind::Receive | MovementKind::Adjust | MovementKind::Restock => {}
        }
    }
}

/// Reads what the ledger records about an order.
async fn ledger_record_of(db: &Database, order: OrderId) -> Result<OrderRecord, Error> {
    let mut record = OrderRecord::default();
    let mut movements = db.movements.find(doc! {"order_id": order.to_string()}).await?;
    while let Some(movement) = movements.try_next().await? {
        record.add(movement);
    }
    Ok(record)
}

/// Reads the holds of an order and its ledger record, in one database command if it has any holds. The holds must be read
/// first: a hold that a late duplicate took is newer than the ledger entry of its SKU.
async fn holds_and_record_of(db: &Database, order: OrderId) -> Result<(Vec<SkuHold>, OrderRecord), Error> {
    let order_id = order.to_string();
    let mine = doc! {"$eq": ["$$hold.order_id", {"$literal": &order_id}]};
    let stages = [
        doc! {"$match": {"holds.order_id": &order_id}},
        doc! {"$project": {
            "holds": {"$filter": {"input": "$holds", "as": "hold", "cond": mine}},
            "order_id": {"$literal": &order_id},
        }},
        doc! {"$sort": {"_id": 1}},
        // Joined by a field: with a pipeline instead, servers that do not optimize it would scan the whole ledger.
        doc! {"$lookup": {
            "from": db.movements.name(),
            "localField": "order_id",
            "foreignField": "order_id",
            "as": "ledger",
        }},
    ];
    let mut found = db
        .stock
        .aggregate(stages)
        .with_type::<StockHoldsWithLedger>()
        .await?;
    let (mut holds, mut record) = (Vec::new(), OrderRecord::default());
    while let Some(StockHoldsWithLedger { found, ledger }) = found.try_next().await? {
        holds.push(found.into_hold()?);
        for movement in ledger {
            record.add(movement);
        }
    }
    if holds.is_empty() {
        record = ledger_record_of(db, order).await?;
    }
    Ok((holds, record))
}

/// A stock document reduced to the holds of one order, joined with the ledger.
#[derive(serde::Deserialize)]
struct StockHoldsWithLedger {
    #[serde(flatten)]
    found: StockHolds,
    /// Ledger entries of the order; the same in each document.
    ledger: Vec<Movement>,
}

/// Like [`ledger_record_of`], but includes journal entries that are not yet copied to the ledger. The journals are read first:
/// an entry is removed from its journal only after it is in the ledger, so it is found in at least one of them.
async fn full_record_of(db: &Database, order: OrderId) -> Result<OrderRecord, Error> {
    let order_id = order.to_string();
    let journals: Vec<Stock> = db
        .stock
        .find(doc! {"journal._id": {"$gt": ""}, "journal.order_id": &order_id})
        .await?
        .try_collect()
        .await?;
    let mut record = ledger_record_of(db, order).await?;
    let entries = journals.into_iter().flat_map(|stock| stock.journal);
    entries
        .filter(|entry| entry.order_id.as_ref() == Some(&order_id))
        .for_each(|entry| record.add(entry));
    Ok(record)
}

/// Releases the units of each hold that still exists and satisfies `condition`. Returns the number of released holds.
async fn release_holds(db: &Database, holds: &[SkuHold], condition: &Document) -> Result<usize, Error> {
    let changes = holds.iter().map(|SkuHold { sku, hold }| {
        let mut which = doc! {"order_id": &hold.order_id, "id": hold.id};
        which.extend(condition.clone());
        let update = doc! {
            "$inc": {"available": hold.qty, "held": -hold.qty, "rev": 1_i64},
            "$pull": {"holds": {"order_id": &hold.order_id, "id": hold.id}},
        };
        Change::new(doc! {"_id": sku, "holds": {"$elemMatch": which}}, update)
    });
    batch::apply(db, "stock", changes.collect()).await
}

/// Releases holds on SKUs that the order has already committed, which a late duplicate reservation took.
async fn release_strays(db: &Database, order: OrderId) -> Result<(), Error> {
    let (mut holds, record) = holds_and_record_of(db, order).await?;
    holds.retain(|held| record.committed.contains(&held.sku));
    release_holds(db, &holds, &doc! {}).await?;
    Ok(())
}

/// Whether the holds cover all `lines` SKUs of the order.
fn is_complete(holds: &[SkuHold], lines: usize) -> bool {
    lines > 0 && holds.len() == lines
}

/// The items of a command sorted by SKU, so that all commands process SKUs in the same order. Fails if there are no items or
/// a SKU occurs twice.
fn by_sku(items: &[OrderItem]) -> Result<BTreeMap<&str, i64>, Error> {
    let sorted: BTreeMap<&str, i64> = items
        .iter()
        .map(|item| (item.sku.as_str(), i64::from(item.quantity.get())))
        .collect();
    if sorted.is_empty() || sorted.len() != items.len() {
        return Err(Error::Malformed("the items must not be empty or repeat a SKU"));
    }
    Ok(sorted)
}

fn refused(reason: &str, detail: impl Into<String>) -> Outcome {
    Outcome::Refused {
        reason: reason.to_owned(),
        detail: detail.into(),
    }
}
