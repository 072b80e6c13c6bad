//! `ReserveStock`: holds all items of an order for the time that the command names, or none of them.

use std::collections::BTreeMap;

use bson::doc;
use contracts::{
    OrderId,
    saga::{MAX_HOLD_SECONDS, Outcome, ReserveStock},
};
use futures::TryStreamExt as _;

use super::{by_sku, holds_and_record_of, ledger_record_of, refused, release, release_strays};
use crate::{
    Error,
    batch::{self, Change},
    database::Database,
    stock::{Hold, Movement},
};

/// Maximum attempts when units become available again between a failed attempt and the search for its reason.
const MAX_ATTEMPTS: usize = 5;

/// Holds all items of the order or none. A refusal is final: the order can never be reserved afterwards.
pub async fn reserve(db: &Database, command: &ReserveStock) -> Result<Outcome, Error> {
    let order = command.order_id;
    let items = by_sku(&command.items)?;
    if !(1..=MAX_HOLD_SECONDS).contains(&command.hold_seconds) {
        return Err(Error::Malformed("hold_seconds must be from 1 to 86,400"));
    }
    let hold_millis = i64::from(command.hold_seconds) * 1_000;
    if let Some(refusal) = hold_items(db, order, &items, hold_millis).await? {
        return refuse(db, order, items.len(), refusal).await;
    }
    // The ledger is read after the holds are taken; see the module's documentation about late commands.
    let record = ledger_record_of(db, order).await?;
    if !record.committed.is_empty() {
        release_strays(db, order).await?;
        return Ok(Outcome::Done);
    }
    match record.closed {
        Some(refusal) => release::settle_closed(db, order, items.len(), refusal).await,
        None => Ok(Outcome::Done),
    }
}

/// Refuses an order that could not be held completely, unless another delivery of the same command has held or committed it
/// in the meantime: both deliveries must get the same reply.
pub(super) async fn refuse(
    db: &Database,
    order: OrderId,
    lines: usize,
    refusal: Outcome,
) -> Result<Outcome, Error> {
    let (holds, record) = holds_and_record_of(db, order).await?;
    if !record.committed.is_empty() {
        release_strays(db, order).await?;
        return Ok(Outcome::Done);
    }
    if release::was_reserved(&holds, &record, lines) {
        return Ok(Outcome::Done);
    }
    release::close(db, order, lines, refusal).await
}

/// Holds the items. Returns `None` if all are held, or a refusal that names an item which cannot be held and why.
///
/// All lines are sent in one command, sorted by SKU, and the server stops at the first line that is short. If two orders
/// compete for the last units of the same two SKUs, one of them gets both: the order that is second at the first SKU does
/// not continue to the other. Holds from before the failure, or from an attempt whose reply was lost, are found by the
/// order id.
pub(super) async fn hold_items(
    db: &Database,
    order: OrderId,
    items: &BTreeMap<&str, i64>,
    hold_millis: i64,
) -> Result<Option<Outcome>, Error> {
    let lines = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let mut missing = items.clone();
    for _ in 0..MAX_ATTEMPTS {
        let changes = missing
            .iter()
            .map(|(sku, qty)| hold(order, sku, *qty, lines, hold_millis));
        let held = batch::apply_until_failure(db, "stock", changes.collect()).await?;
        if held == missing.len() {
            return Ok(None);
        }
        if let Some(refusal) = explain_shortage(db, order, &mut missing).await? {
            return Ok(Some(refusal));
        }
        if missing.is_empty() {
            return Ok(None);
        }
    }
    Err(Error::Contended)
}

/// Builds the update that holds `qty` units of one SKU, unless the order already holds or has just committed units of it. If
/// too few units are available, the update fails deliberately by changing `_id`, which MongoDB rejects. A filter on
/// `available` would only skip the update, and the command would continue with the next line.
fn hold(order: OrderId, sku: &str, qty: i64, lines: i64, hold_millis: i64) -> Change {
    let order = order.to_string();
    let filter = doc! {
        "_id": sku,
        "retired": false,
        "holds.order_id": {"$ne": &order},
        "journal.order_id": {"$ne": &order},
    };
    let short = doc! {"$concat": ["$_id", ": out of stock"]};
    let or_fail = doc! {"$cond": [{"$gte": ["$available", qty]}, "$_id", short]};
    // The update is a pipeline because only pipelines can use the database's clock (`$$NOW`).
    let hold = doc! {
        "id": {"$add": ["$rev", 1_i64]},
        "order_id": {"$literal": &order},
        "qty": {"$literal": qty},
        "state": {"$literal": "held"},
        "lines": {"$literal": lines},
        "expires_at": {"$add": ["$$NOW", hold_millis]},
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

/// The parts of a stock document that concern one order.
#[derive(serde::Deserialize)]
struct OrderStock {
    #[serde(rename = "_id")]
    sku: String,
    available: i64,
    retired: bool,
    #[serde(default)]
    holds: Vec<Hold>,
    #[serde(default)]
    journal: Vec<Movement>,
}

/// Finds out why items are not held. Removes items that are held after all from `missing`, and returns a refusal if an item
/// cannot be held.
async fn explain_shortage(
    db: &Database,
    order: OrderId,
    missing: &mut BTreeMap<&str, i64>,
) -> Result<Option<Outcome>, Error> {
    let skus: Vec<&str> = missing.keys().copied().collect();
    let mine = doc! {"$elemMatch": {"order_id": order.to_string()}};
    let fields = doc! {"available": 1, "retired": 1, "holds": &mine, "journal": mine};
    let mut stocks: BTreeMap<String, OrderStock> = db
        .stock
        .clone_with_type::<OrderStock>()
        .find(doc! {"_id": {"$in": skus}})
        .projection(fields)
        .await?
        .map_ok(|stock| (stock.sku.clone(), stock))
        .try_collect()
        .await?;
    let mut refusal = None;
    let mut contradicts = false;
    missing.retain(|&sku, &mut qty| {
        let Some(stock) = stocks.remove(sku) else {
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
            let available = stock.available;
            refusal.get_or_insert_with(|| {
                refused(
                    "out_of_stock",
                    format!("{sku}: {available} available, {qty} requested"),
                )
            });
        }
        true
    });
    if contradicts {
        return Err(Error::Malformed("the order holds another quantity of this SKU"));
    }
    Ok(refusal)
}
