//! What orders do to the stock: reserve, release, pin, unpin, commit, restock. Every effect is one conditional update of
//! one stock document, and the hold in it is the inbox: a command that comes again finds what it did and answers the same.
//!
//! Who may be late here: a command can be delivered again at any time, beside itself, or after the commands that came
//! after it. Three things keep that harmless.
//!
//! - **`close` in the ledger.** A release, or a refusal, first writes that the order is closed and then looks for holds;
//!   a reservation first takes its holds and then looks whether the order is closed. Whichever comes second sees the
//!   other, so nothing stays held for a closed order. One ledger entry an order does this and not an array in the stock
//!   documents, because a release knows the order but not the SKUs that a reservation still under way will touch, and
//!   because a well-sold SKU would collect orders without end. Each change of units stays one update of one document.
//! - **A refusal never touches a pinned hold.** Of two deliveries of one reservation, one may be refused late, after the
//!   other was answered and the saga has pinned the holds. Only a release, which the saga sends when it gives up, gives
//!   back pinned holds. That is why the two have entries of their own in the ledger: `{order}/close` for a refusal and
//!   `{order}/release` for a release, whose reason is `closed`.
//! - **A hold's `id`.** A commit or release names the very hold that it read. A hold taken anew by a late duplicate after
//!   the first was committed is another one; the ledger tells that it is a stray, and it is given back.

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

/// How long a hold lasts unless it is pinned, in milliseconds: 15 minutes.
const HOLD_MILLIS: i64 = 15 * 60 * 1_000;

/// The reason of a `close` that a release has written; those of refusals are others.
const RELEASED: &str = "closed";

/// A hold and the SKU it is of.
struct Held {
    sku: String,
    hold: Hold,
}

/// The holds of an order, by SKU.
async fn holds_of(db: &Database, order: OrderId) -> Result<Vec<Held>, Error> {
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
            let found: Found = bson::deserialize_from_document(stock).map_err(mongodb::error::Error::from)?;
            found.held()
        })
        .collect()
}

#[derive(serde::Deserialize)]
struct Found {
    #[serde(rename = "_id")]
    sku: String,
    holds: Vec<Hold>,
}

impl Found {
    /// An order has one hold of a SKU.
    fn held(self) -> Result<Held, Error> {
        let hold = self.holds.into_iter().next();
        let hold = hold.ok_or(Error::Malformed(
            "a stock document without the hold it was found by",
        ))?;
        Ok(Held { sku: self.sku, hold })
    }
}

/// What the ledger tells of an order.
#[derive(Default)]
struct Record {
    /// The SKUs that left for good.
    committed: BTreeSet<String>,
    /// How many SKUs the order has, if any left.
    lines: i64,
    /// Why nothing may be held any more: the refusal if there was one, which every duplicate must be answered with.
    closed: Option<Outcome>,
    /// The saga has given up the order, so that pinned holds are given back, too.
    released: bool,
}

impl Record {
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

/// What is in the ledger about an order.
async fn record_of(db: &Database, order: OrderId) -> Result<Record, Error> {
    let mut record = Record::default();
    let mut movements = db.movements.find(doc! {"order_id": order.to_string()}).await?;
    while let Some(movement) = movements.try_next().await? {
        record.add(movement);
    }
    Ok(record)
}

/// The holds of an order and what is in the ledger about it, in one command if it holds anything. The holds are read first, as
/// wherever the two are compared: a hold that a late duplicate took was taken after its SKU was entered in the ledger.
async fn holds_and_record_of(db: &Database, order: OrderId) -> Result<(Vec<Held>, Record), Error> {
    let order_id = order.to_string();
    let mine = doc! {"$eq": ["$$hold.order_id", {"$literal": &order_id}]};
    let stages = [
        doc! {"$match": {"holds.order_id": &order_id}},
        doc! {"$project": {
            "holds": {"$filter": {"input": "$holds", "as": "hold", "cond": mine}},
            "order_id": {"$literal": &order_id},
        }},
        doc! {"$sort": {"_id": 1}},
        // By a field, because a pipeline in its place goes through the whole ledger on servers that do not optimise it.
        doc! {"$lookup": {
            "from": db.movements.name(),
            "localField": "order_id",
            "foreignField": "order_id",
            "as": "ledger",
        }},
    ];
    let mut found = db.stock.aggregate(stages).with_type::<FoundWithLedger>().await?;
    let (mut holds, mut record) = (Vec::new(), Record::default());
    while let Some(FoundWithLedger { found, ledger }) = found.try_next().await? {
        holds.push(found.held()?);
        for movement in ledger {
            record.add(movement);
        }
    }
    if holds.is_empty() {
        record = record_of(db, order).await?;
    }
    Ok((holds, record))
}

#[derive(serde::Deserialize)]
struct FoundWithLedger {
    #[serde(flatten)]
    found: Found,
    /// What is in the ledger about the order, the same in each document.
    ledger: Vec<Movement>,
}

/// As [`record_of`], with what is not yet copied to the ledger. The journals are read first: an entry leaves its journal
/// only once it is in the ledger, so that it is seen in one of the two.
async fn whole_record_of(db: &Database, order: OrderId) -> Result<Record, Error> {
    let order_id = order.to_string();
    let journals: Vec<Stock> = db
        .stock
        .find(doc! {"journal._id": {"$gt": ""}, "journal.order_id": &order_id})
        .await?
        .try_collect()
        .await?;
    let mut record = record_of(db, order).await?;
    let entries = journals.into_iter().flat_map(|stock| stock.journal);
    entries
        .filter(|entry| entry.order_id.as_ref() == Some(&order_id))
        .for_each(|entry| record.add(entry));
    Ok(record)
}

/// Gives the units of these holds back, of each if it is still there and `condition` holds for it. Returns how many were.
async fn give_back(db: &Database, holds: &[Held], condition: &Document) -> Result<usize, Error> {
    let changes = holds.iter().map(|Held { sku, hold }| {
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

/// Gives back what is held for an order although it is committed: taken by a duplicate that came too late.
async fn give_back_strays(db: &Database, order: OrderId) -> Result<(), Error> {
    let (mut holds, record) = holds_and_record_of(db, order).await?;
    holds.retain(|held| record.committed.contains(&held.sku));
    give_back(db, &holds, &doc! {}).await?;
    Ok(())
}

/// Whether these are the holds of all `lines` SKUs of their order.
fn is_whole(holds: &[Held], lines: usize) -> bool {
    lines > 0 && holds.len() == lines
}

/// The items of a command in the order in which every command takes them; a SKU that comes twice is the sender's mistake.
fn by_sku(items: &[OrderItem]) -> Result<BTreeMap<&str, i64>, Error> {
    let sorted: BTreeMap<&str, i64> = items
        .iter()
        .map(|item| (item.sku.as_str(), i64::from(item.quantity.get())))
        .collect();
    if sorted.is_empty() || sorted.len() != items.len() {
        return Err(Error::Malformed("each SKU must be there once, and one at least"));
    }
    Ok(sorted)
}

fn refused(reason: &str, detail: impl Into<String>) -> Outcome {
    Outcome::Refused {
        reason: reason.to_owned(),
        detail: detail.into(),
    }
}
