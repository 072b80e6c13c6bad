//! Adding and removing a product, which are changes of two documents: the product, and its stock, which outlives it and is
//! `retired` while there is no product.
//!
//! Several requests about one SKU may run at the same time, and none of them locks anything. Each one writes first and then
//! looks at both documents, and corrects the stock if the two do not agree ([`settle`]). Whichever wrote last therefore looks
//! last, at what stays, so that the two agree once all have ended.

use bson::doc;

use super::{ProductDocument, etag::Expected, store};
use crate::{Error, database::Database, outbox::catalog, stock};

/// How often to look again while other requests add or remove the same product.
const TRIES: usize = 20;

/// Adds a product; [`Error::DuplicateSku`] if there is one.
pub(super) async fn create(db: &Database, product: &ProductDocument) -> Result<(), Error> {
    let sku = product.sku.as_str();
    if store::exists(db, sku).await? {
        return Err(Error::DuplicateSku);
    }
    // The stock first: a product without stock could be shown but never sold, stock without a product harms nobody.
    stock::store::open(db, sku).await?;
    let inserted = store::insert(db, product).await;
    settle(db, sku).await?;
    inserted?;
    catalog::tell(db, sku).await;
    Ok(())
}

/// Removes a product, unless orders hold units of it.
pub(super) async fn delete(db: &Database, sku: &str, expected: &Expected) -> Result<(), Error> {
    let seen = store::find(db, sku).await?;
    if !expected.matches(seen.version) {
        return Err(Error::Stale);
    }
    // What it was last, if that is still untold.
    catalog::tell(db, sku).await;
    // First nothing more can be reserved, then the product goes: the other way round an order could hold units of a
    // product that is no more.
    stock::store::retire(db, sku).await?;
    remove(db, &seen, expected).await
}

/// The second half of a removal, when the stock is retired.
async fn remove(db: &Database, seen: &ProductDocument, expected: &Expected) -> Result<(), Error> {
    let sku = seen.sku.as_str();
    let is_removed = store::remove(db, seen, expected).await?;
    settle(db, sku).await?;
    // Gone, or for sale again because it has changed meanwhile.
    catalog::tell(db, sku).await;
    if is_removed {
        return Ok(());
    }
    Err(store::why_not_found(db, seen).await?)
}

/// Makes the stock agree with whether there is a product.
async fn settle(db: &Database, sku: &str) -> Result<(), Error> {
    for _ in 0..TRIES {
        let Some(stock) = db.stock.find_one(doc! {"_id": sku}).await? else {
            return Ok(());
        };
        let is_sold = store::exists(db, sku).await?;
        if stock.retired != is_sold {
            return Ok(());
        }
        let update = doc! {"$set": {"retired": !is_sold, "listed": false}, "$inc": {"rev": 1_i64}};
        // Another look follows: this was a write as well.
        db.stock
            .update_one(doc! {"_id": sku, "retired": is_sold}, update)
            .await?;
    }
    Err(Error::Contended)
}

#[cfg(test)]
mod tests;
