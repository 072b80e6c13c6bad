//! `ReserveStock`: hold the items of an order for 15 minutes, all or none.

use bson::doc;
use contracts::{
    OrderId,
    saga::{Outcome, ReserveStock},
};

use super::{HOLD_MILLIS, by_sku, give_back_strays, record_of, refused, release::close};
use crate::{Error, database::Database, stock::Stock};

/// How often to try again when the units come back between the try and the look why it failed.
const TRIES: usize = 5;

/// Holds all items, in the order of their SKUs, or none. A refusal is kept: the order can never be reserved after it.
pub async fn reserve(db: &Database, command: &ReserveStock) -> Result<Outcome, Error> {
    let order = command.order_id;
    let items = by_sku(&command.items)?;
    let lines = i64::try_from(items.len()).unwrap_or(i64::MAX);
    for (sku, qty) in items {
        if let Some(refusal) = take(db, order, sku, qty, lines).await? {
            // Not if it is a duplicate that comes while, or after, the order is committed.
            if record_of(db, order).await?.committed.is_empty() {
                return close(db, order, refusal).await;
            }
            break;
        }
    }
    // Only after taking: see the module about who may be late.
    let record = record_of(db, order).await?;
    if !record.committed.is_empty() {
        give_back_strays(db, order).await?;
        return Ok(Outcome::Done);
    }
    match record.closed {
        Some(refusal) => close(db, order, refusal).await,
        None => Ok(Outcome::Done),
    }
}

/// Holds `qty` units of one SKU; a refusal says why not. One conditional update: the units are there, and the order
/// neither holds any nor has just taken them for good.
async fn take(
    db: &Database,
    order: OrderId,
    sku: &str,
    qty: i64,
    lines: i64,
) -> Result<Option<Outcome>, Error> {
    let order = order.to_string();
    let filter = doc! {
        "_id": sku,
        "retired": false,
        "available": {"$gte": qty},
        "holds.order_id": {"$ne": &order},
        "journal.order_id": {"$ne": &order},
    };
    // A pipeline, because only there is the database's own clock to be had.
    let hold = doc! {
        "id": {"$add": ["$rev", 1_i64]},
        "order_id": {"$literal": &order},
        "qty": {"$literal": qty},
        "state": {"$literal": "held"},
        "lines": {"$literal": lines},
        "expires_at": {"$add": ["$$NOW", HOLD_MILLIS]},
    };
    let update = vec![doc! {"$set": {
        "available": {"$subtract": ["$available", qty]},
        "held": {"$add": ["$held", qty]},
        "rev": {"$add": ["$rev", 1_i64]},
        "holds": {"$concatArrays": ["$holds", [hold]]},
    }}];
    for _ in 0..TRIES {
        if db
            .stock
            .update_one(filter.clone(), update.clone())
            .await?
            .modified_count
            == 1
        {
            return Ok(None);
        }
        let Some(stock) = db.stock.find_one(doc! {"_id": sku}).await? else {
            return Ok(Some(refused("unknown_sku", format!("{sku} is not sold here"))));
        };
        match why_not(&stock, &order, qty) {
            Err(Error::Contended) => {}
            answer => return answer,
        }
    }
    Err(Error::Contended)
}

/// Why the units could not be taken; nothing if they already are.
fn why_not(stock: &Stock, order: &str, qty: i64) -> Result<Option<Outcome>, Error> {
    let sku = &stock.sku;
    if let Some(hold) = stock.holds.iter().find(|hold| hold.order_id == order) {
        if hold.qty != qty {
            return Err(Error::Malformed("the order holds another quantity of this SKU"));
        }
        return Ok(None);
    }
    if stock
        .journal
        .iter()
        .any(|entry| entry.order_id.as_deref() == Some(order))
    {
        return Ok(None);
    }
    if stock.retired {
        return Ok(Some(refused("unknown_sku", format!("{sku} is no longer sold"))));
    }
    if stock.available >= qty {
        // It changed between the update and this look.
        return Err(Error::Contended);
    }
    let left = stock.available;
    Ok(Some(refused(
        "out_of_stock",
        format!("{sku}: {left} left, {qty} wanted"),
    )))
}
