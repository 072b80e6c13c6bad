//! The updates of a stock document that have nothing to do with an order.

use bson::{Bson, Document, doc};
use mongodb::options::ReturnDocument;

use super::{Levels, Movement, Stock};
use crate::{Error, database::Database, outbox};

/// How often to look again when the stock changes between the look and the update.
const TRIES: usize = 20;

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
    entered_with(movement, doc! {})
}

/// The same, with further fields that are expressions.
fn entered_with(movement: &Movement, mut computed: Document) -> Result<Document, Error> {
    let entry: Bson = bson::serialize_to_bson(movement).map_err(mongodb::error::Error::from)?;
    computed.insert("at", "$$NOW");
    let entry = doc! {"$mergeObjects": [{"$literal": entry}, computed]};
    Ok(doc! {"$concatArrays": ["$journal", [entry]]})
}

/// What an adjustment led to.
#[derive(Debug)]
pub struct Adjusted {
    /// The units right after it.
    pub levels: Levels,
    /// The document as this call left it; none if an earlier call with the same key made the adjustment.
    pub stock: Option<Stock>,
}

/// Adds `movement.qty` units, or takes them away if so many are available, and records it in the same update. Once a
/// movement id: the update has an effect only while neither the journal nor the ledger knows it, so a repetition finds
/// what the first call did, and gets its result.
pub async fn adjust(db: &Database, sku: &str, movement: &Movement) -> Result<Adjusted, Error> {
    for _ in 0..TRIES {
        let seen = look(db, sku, movement).await?;
        let stock = match seen {
            Seen::Done(levels) => return Ok(Adjusted { levels, stock: None }),
            Seen::New(stock) => stock,
        };
        if let Some(stock) = write(db, &stock, movement).await? {
            let levels = stock.levels();
            return Ok(Adjusted {
                levels,
                stock: Some(stock),
            });
        }
    }
    Err(Error::Contended)
}

/// What is known of an adjustment before it is made.
#[derive(Debug)]
pub(super) enum Seen {
    /// It was made before.
    Done(Levels),
    /// It was not, and this is the stock.
    New(Stock),
}

/// Looks whether the adjustment was made, and whether it can be. The stock document comes first: an entry leaves its
/// journal only once it is in the ledger, so it is seen in one of the two.
pub(super) async fn look(db: &Database, sku: &str, movement: &Movement) -> Result<Seen, Error> {
    let stock = db.stock.find_one(doc! {"_id": sku}).await?;
    let stock = stock.ok_or(Error::NoSuchProduct)?;
    let waiting = stock
        .journal
        .iter()
        .find(|entry| entry.id == movement.id)
        .cloned();
    let earlier = match waiting {
        Some(entry) => Some(entry),
        None => db.movements.find_one(doc! {"_id": &movement.id}).await?,
    };
    if let Some(earlier) = earlier {
        if earlier.request_sha256 != movement.request_sha256 {
            return Err(Error::KeyReused);
        }
        let levels = earlier.levels;
        return levels
            .map(Seen::Done)
            .ok_or(Error::Malformed("an adjustment without its levels"));
    }
    if stock.retired {
        return Err(Error::NoSuchProduct);
    }
    if stock.available + movement.qty < 0 {
        return Err(Error::WouldGoNegative {
            available: stock.available,
        });
    }
    Ok(Seen::New(stock))
}

/// Makes the adjustment, unless something has happened since the stock was `seen` that it depends on: units are gone, or
/// the journal or the ledger has another entry that may be the same adjustment.
pub(super) async fn write(db: &Database, seen: &Stock, movement: &Movement) -> Result<Option<Stock>, Error> {
    let delta = movement.qty;
    // Documents that are older than the field have none.
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
        doc! {"$set": {"journal": entered_with(movement, doc! {"levels": levels})?}},
    ];
    stages.extend(outbox::stock_changed(db, "adjusted"));
    Ok(db
        .stock
        .find_one_and_update(filter, stages)
        .return_document(ReturnDocument::After)
        .await?)
}
