//! The updates of a stock document that have nothing to do with an order.

use bson::{Bson, Document, doc};
use mongodb::options::ReturnDocument;

use super::{Movement, Stock};
use crate::{Error, database::Database, outbox};

/// The stock of a SKU that is for sale.
pub async fn find(db: &Database, sku: &str) -> Result<Stock, Error> {
    db.stock
        .find_one(doc! {"_id": sku, "retired": false})
        .await?
        .ok_or(Error::NoSuchProduct)
}

/// Makes sure that there is a document for `sku` and that it can be reserved; units that are there stay.
pub async fn open(db: &Database, sku: &str) -> Result<(), Error> {
    let mut blank = bson::serialize_to_document(&Stock::none(sku)).map_err(mongodb::error::Error::from)?;
    for field in ["_id", "retired", "listed", "rev"] {
        let _ = blank.remove(field);
    }
    let update =
        doc! {"$set": {"retired": false, "listed": false}, "$inc": {"rev": 1_i64}, "$setOnInsert": blank};
    db.stock
        .update_one(doc! {"_id": sku}, update)
        .upsert(true)
        .await?;
    Ok(())
}

/// Takes `sku` off sale, unless orders hold units of it. The units that are there stay in the books.
pub async fn retire(db: &Database, sku: &str) -> Result<(), Error> {
    let update = doc! {"$set": {"retired": true}, "$inc": {"rev": 1_i64}};
    let free = db.stock.update_one(doc! {"_id": sku, "held": 0}, update).await?;
    if free.matched_count == 1 || db.stock.find_one(doc! {"_id": sku}).await?.is_none() {
        return Ok(());
    }
    Err(Error::UnitsHeld)
}

/// The expression for `field` with `units` more, in updates that also tell what comes of it.
pub(crate) fn plus(field: &str, units: i64) -> Document {
    doc! {"$add": [format!("${field}"), units]}
}

/// The expression for the journal with one entry more, whose time is that of the update.
pub(crate) fn entered(movement: &Movement) -> Result<Document, Error> {
    let entry: Bson = bson::serialize_to_bson(movement).map_err(mongodb::error::Error::from)?;
    let entry = doc! {"$mergeObjects": [{"$literal": entry}, {"at": "$$NOW"}]};
    Ok(doc! {"$concatArrays": ["$journal", [entry]]})
}

/// Adds `movement.qty` units, or takes them away if so many are available, and records it in the same update.
pub async fn adjust(db: &Database, sku: &str, movement: &Movement) -> Result<Stock, Error> {
    let delta = movement.qty;
    let filter = doc! {"_id": sku, "retired": false, "available": {"$gte": delta.saturating_neg()}};
    let mut update = vec![doc! {"$set": {
        "on_hand": plus("on_hand", delta),
        "available": plus("available", delta),
        "received": plus("received", delta),
        "rev": plus("rev", 1),
        "journal": entered(movement)?,
    }}];
    update.extend(outbox::stock_changed(db, "adjusted"));
    let changed = db
        .stock
        .find_one_and_update(filter, update)
        .return_document(ReturnDocument::After)
        .await?;
    match changed {
        Some(stock) => Ok(stock),
        None => Err(Error::WouldGoNegative {
            available: find(db, sku).await?.available,
        }),
    }
}
