//! `ReserveStock`: hold the items of an order for 15 minutes, all or none.

use std::collections::BTreeMap;

use bson::doc;
use contracts::{
    OrderId,
    saga::{Outcome, ReserveStock},
};
use futures::TryStreamExt as _;

use super::{HOLD_MILLIS, by_sku, give_back_strays, holds_and_record_of, record_of, refused, release};
use crate::{
    Error,
    batch::{self, Change},
    database::Database,
    stock::{Hold, Movement},
};

/// How often to try again when the units come back between the try and the look why it failed.
const TRIES: usize = 5;

/// Holds all items or none. A refusal is kept: the order can never be reserved after it.
pub async fn reserve(db: &Database, command: &ReserveStock) -> Result<Outcome, Error> {
    let order = command.order_id;
    let items = by_sku(&command.items)?;
    if let Some(refusal) = take(db, order, &items).await? {
        return refuse(db, order, items.len(), refusal).await;
    }
    // Only after taking: see the module about who may be late.
    let record = record_of(db, order).await?;
    if !record.committed.is_empty() {
        give_back_strays(db, order).await?;
        return Ok(Outcome::Done);
    }
    match record.closed {
        Some(refusal) => release::settle_closed(db, order, items.len(), refusal).await,
        None => Ok(Outcome::Done),
    }
}

/// Refuses an order that could not be held whole, unless another delivery of the same command has held or even committed it
/// meanwhile: both deliveries must get the same answer.
pub(super) async fn refuse(
    db: &Database,
    order: OrderId,
    lines: usize,
    refusal: Outcome,
) -> Result<Outcome, Error> {
    let (holds, record) = holds_and_record_of(db, order).await?;
    if !record.committed.is_empty() {
        give_back_strays(db, order).await?;
        return Ok(Outcome::Done);
    }
    if release::has_succeeded(&holds, &record, lines) {
        return Ok(Outcome::Done);
    }
    release::close(db, order, lines, refusal).await
}

/// Holds the items; a refusal says which of them cannot be held and why.
///
/// All lines go to the server in one command, in the order of their SKUs, and the first one that is short ends it. So of two
/// orders that both want the last units of the same two SKUs, one gets both: the one that comes second at the first SKU
/// does not go on to take the other. What was held before the failure, here or by an attempt whose answer was lost, is
/// found by the order's id and not by what this function believes.
pub(super) async fn take(
    db: &Database,
    order: OrderId,
    items: &BTreeMap<&str, i64>,
) -> Result<Option<Outcome>, Error> {
    let lines = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let mut missing = items.clone();
    for _ in 0..TRIES {
        let changes = missing.iter().map(|(sku, qty)| hold(order, sku, *qty, lines));
        let held = batch::apply_until_failure(db, "stock", changes.collect()).await?;
        if held == missing.len() {
            return Ok(None);
        }
        if let Some(refusal) = explain(db, order, &mut missing).await? {
            return Ok(Some(refusal));
        }
        if missing.is_empty() {
            return Ok(None);
        }
    }
    Err(Error::Contended)
}

/// Holds `qty` units of one SKU, where the order neither holds any nor has just taken them for good. Where fewer units are
/// available the update fails: it would have to change `_id`, which MongoDB never does. A filter on `available` would only
/// make it do nothing, and the command would go on to the next line.
fn hold(order: OrderId, sku: &str, qty: i64, lines: i64) -> Change {
    let order = order.to_string();
    let filter = doc! {
        "_id": sku,
        "retired": false,
        "holds.order_id": {"$ne": &order},
        "journal.order_id": {"$ne": &order},
    };
    let short = doc! {"$concat": ["$_id", ": out of stock"]};
    let or_fail = doc! {"$cond": [{"$gte": ["$available", qty]}, "$_id", short]};
    // A pipeline, because only there is the database's own clock to be had.
    let hold = doc! {
        "id": {"$add": ["$rev", 1_i64]},
        "order_id": {"$literal": &order},
        "qty": {"$literal": qty},
        "state": {"$literal": "held"},
        "lines": {"$literal": lines},
        "expires_at": {"$add": ["$$NOW", HOLD_MILLIS]},
    };
    let stages = vec![doc! {"$set": {
        "_id": or_fail,
        "available": {"$subtract": ["$available", qty]},
        "held": {"$add": ["$held", qty]},
        "rev": {"$add": ["$rev", 1_i64]},
        "holds": {"$concatArrays": ["$holds", [hold]]},
    }}];
    Change::pipeline(filter, stages)
}

/// As much of a stock document as concerns one order.
#[derive(serde::Deserialize)]
struct Seen {
    #[serde(rename = "_id")]
    sku: String,
    available: i64,
    retired: bool,
    #[serde(default)]
    holds: Vec<Hold>,
    #[serde(default)]
    journal: Vec<Movement>,
}

/// Why items are not held: takes those that are held after all out of `missing`, and refuses if one cannot be.
async fn explain(
    db: &Database,
    order: OrderId,
    missing: &mut BTreeMap<&str, i64>,
) -> Result<Option<Outcome>, Error> {
    let skus: Vec<&str> = missing.keys().copied().collect();
    let mine = doc! {"$elemMatch": {"order_id": order.to_string()}};
    let fields = doc! {"available": 1, "retired": 1, "holds": &mine, "journal": mine};
    let mut seen: BTreeMap<String, Seen> = db
        .stock
        .clone_with_type::<Seen>()
        .find(doc! {"_id": {"$in": skus}})
        .projection(fields)
        .await?
        .map_ok(|seen| (seen.sku.clone(), seen))
        .try_collect()
        .await?;
    let mut refusal = None;
    let mut contradicts = false;
    missing.retain(|&sku, &mut qty| {
        let Some(stock) = seen.remove(sku) else {
            refusal.get_or_insert_with(|| refused("unknown_sku", format!("{sku} is not sold here")));
            return true;
        };
        if let Some(hold) = stock.holds.first() {
            contradicts |= hold.qty != qty;
            return false;
        }
        if !stock.journal.is_empty() {
            return false;
        }
        if stock.retired {
            refusal.get_or_insert_with(|| refused("unknown_sku", format!("{sku} is no longer sold")));
        } else if stock.available < qty {
            let left = stock.available;
            refusal
                .get_or_insert_with(|| refused("out_of_stock", format!("{sku}: {left} left, {qty} wanted")));
        }
        true
    });
    if contradicts {
        return Err(Error::Malformed("the order holds another quantity of this SKU"));
    }
    Ok(refusal)
}
