//! Updates of stock documents that do not concern orders.

use bson::{Bson, Document, doc};
use mongodb::options::ReturnDocument;

use super::{Levels, Movement, Stock};
use crate::{Error, database::Database, outbox};

/// Maximum attempts when the stock changes between reading and updating.
const MAX_ATTEMPTS: usize = 20;

/// Reads the stock of a product. Fails with [`Error::NoSuchProduct`] if the SKU is unknown or retired.
pub async fn find(db: &Database, sku: &str) -> Result<Stock, Error> {
    db.stock
        .find_one(doc! {"_id": sku, "retired": false})
        .await?
        .ok_or(Error::NoSuchProduct)
}

/// Creates the stock document of `sku` if it is missing, and allows reservations. Existing units are kept.
pub async fn open(db: &Database, sku: &str) -> Result<(), Error> {
    let mut blank = bson::serialize_to_document(&Stock::empty(sku)).map_err(mongodb::error::Error::from)?;
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

/// Retires `sku` so that it cannot be reserved. Existing units are kept. Fails with [`Error::UnitsHeld`] if orders hold units.
pub async fn retire(db: &Database, sku: &str) -> Result<(), Error> {
    let update = doc! {"$set": {"retired": true}, "$inc": {"rev": 1_i64}};
    let free = db.stock.update_one(doc! {"_id": sku, "held": 0}, update).await?;
    if free.matched_count == 1 || db.stock.find_one(doc! {"_id": sku}).await?.is_none() {
        return Ok(());
    }
    Err(Error::UnitsHeld)
}

/// An expression that adds `units` to `field`, for update pipelines.
pub(crate) fn plus(field: &str, units: i64) -> Document {
    doc! {"$add": [format!("${field}"), units]}
}

/// An expression for the journal with one more entry, whose time is the time of the update.
pub(crate) fn with_entry(movement: &Movement) -> Result<Document, Error> {
    with_computed_entry(movement, doc! {})
}

/// Like [`with_entry`], with further fields of the entry given as expressions.
fn with_computed_entry(movement: &Movement, mut computed: Document) -> Result<Document, Error> {
    let entry: Bson = bson::serialize_to_bson(movement).map_err(mongodb::error::Error::from)?;
    computed.insert("at", "$$NOW");
    let entry = doc! {"$mergeObjects": [{"$literal": entry}, computed]};
    Ok(doc! {"$concatArrays": ["$journal", [entry]]})
}

/// The result of an adjustment.
#[derive(Debug)]
pub struct Adjusted {
    /// The stock levels right after the adjustment.
    pub levels: Levels,
    /// The document after this call; `None` if an earlier call with the same key made the adjustment.
    pub stock: Option<Stock>,
}

/// Adds `movement.qty` units, or removes them if they are available, and records the movement in the same update. This takes
/// effect once per movement id: the update requires that neither the journal nor the ledger contains the id, and a repeated
/// call returns the result of the first one.
pub async fn adjust(db: &Database, sku: &str, movement: &Movement) -> Result<Adjusted, Error> {
    for _ in 0..MAX_ATTEMPTS {
        let stock = match check_adjustment(db, sku, movement).await? {
            AdjustmentState::Applied(levels) => return Ok(Adjusted { levels, stock: None }),
            AdjustmentState::Unapplied(stock) => stock,
        };
        if let Some(stock) = apply_adjustment(db, &stock, movement).await? {
            let levels = stock.levels();
            return Ok(Adjusted {
                levels,
                stock: Some(stock),
            });
        }
    }
    Err(Error::Contended)
}

/// Whether an adjustment has been applied.
#[derive(Debug)]
pub(super) enum AdjustmentState {
    /// The adjustment was applied before, with these levels as its result.
    Applied(Levels),
    /// The adjustment was not applied; this is the current stock document.
    Unapplied(Stock),
}

/// Checks whether the adjustment was applied before, and whether it is possible. The stock document is read first: an entry is
/// removed from its journal only after it is in the ledger, so it is found in at least one of them.
pub(super) async fn check_adjustment(
    db: &Database,
    sku: &str,
    movement: &Movement,
) -> Result<AdjustmentState, Error> {
    let stock = db.stock.find_one(doc! {"_id": sku}).await?;
    let stock = stock.ok_or(Error::NoSuchProduct)?;
    let journal_entry = stock
        .journal
        .iter()
        .find(|entry| entry.id == movement.id)
        .cloned();
    let earlier = match journal_entry {
        Some(entry) => Some(entry),
        None => db.movements.find_one(doc! {"_id": &movement.id}).await?,
    };
    if let Some(earlier) = earlier {
        if earlier.request_sha256 != movement.request_sha256 {
            return Err(Error::KeyReused);
        }
        let levels = earlier.levels;
        return levels.map(AdjustmentState::Applied).ok_or(Error::Malformed(
            "the ledger entry of an adjustment has no levels",
        ));
    }
    if stock.retired {
        return Err(Error::NoSuchProduct);
    }
    if stock.available + movement.qty < 0 {
        return Err(Error::WouldGoNegative {
            available: stock.available,
        });
    }
    Ok(AdjustmentState::Unapplied(stock))
}

/// Applies the adjustment, unless a relevant change has occurred since `seen` was read: too few units are available, or the
/// journal or the ledger has a new entry that may be the same adjustment. Returns `None` in that case.
pub(super) async fn apply_adjustment(
    db: &Database,
    seen: &Stock,
    movement: &Movement,
) -> Result<Option<Stock>, Error> {
    let delta = movement.qty;
    // Old documents do not have this field.
    let ledgered = if seen.ledgered == 0 {
        doc! {"$in": [0_i64, Bson::Null]}
    } else {
        doc! {"$eq": seen.ledgered}
    };
    let filter = doc! {
        "_id": &seen.sku,
        "retired": false,
        "available": {"$gte": delta.saturating_neg()},
        "ledgered": ledgered,
        "journal._id": {"$ne": &movement.id},
    };
    let levels = ["on_hand", "available", "held", "committed", "restocked"];
    let levels: Document = levels
        .into_iter()
        .map(|level| (level.to_owned(), Bson::String(format!("${level}"))))
        .collect();
    let mut stages = vec![
        doc! {"$set": {
            "on_hand": plus("on_hand", delta),
            "available": plus("available", delta),
            "received": plus("received", delta),
            "rev": plus("rev", 1),
        }},
        doc! {"$set": {"journal": with_computed_entry(movement, doc! {"levels": levels})?}},
    ];
    stages.extend(outbox::stock_changed(db, "adjusted"));
    Ok(db
        .stock
        .find_one_and_update(filter, stages)
        .return_document(ReturnDocument::After)
        .await?)
}
