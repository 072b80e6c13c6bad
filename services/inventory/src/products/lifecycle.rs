//! Adds and removes products. Both change two documents: the product, and its stock, which outlives the product and is
//! `retired` while there is no product.
//!
//! Several requests for one SKU may run concurrently without locks. Each request writes first, then reads both documents and
//! corrects the stock if they disagree ([`reconcile`]). The request that writes last also reads last, so the documents agree
//! once all requests have ended.

use bson::doc;

use super::{ProductDocument, etag::Expected, store};
use crate::{Error, database::Database, outbox::catalog, stock};

/// Maximum attempts while other requests add or remove the same product.
const MAX_ATTEMPTS: usize = 20;

/// Adds a product and opens its stock. Fails with [`Error::DuplicateSku`] if the product exists.
pub(super) async fn create(db: &Database, product: &ProductDocument) -> Result<(), Error> {
    let sku = product.sku.as_str();
    if store::exists(db, sku).await? {
        return Err(Error::DuplicateSku);
    }
    // The stock comes first: a product without stock could be shown but not sold, while stock without a product is harmless.
    stock::store::open(db, sku).await?;
    let inserted = store::insert(db, product).await;
    reconcile(db, sku).await?;
    inserted?;
    catalog::record_event(db, sku).await;
    Ok(())
}

/// Removes a product, unless orders hold units of it.
pub(super) async fn delete(db: &Database, sku: &str, expected: &Expected) -> Result<(), Error> {
    let seen = store::find(db, sku).await?;
    if !expected.matches(seen.version) {
        return Err(Error::Stale);
    }
    // Record the last change first, if its event is still missing.
    catalog::record_event(db, sku).await;
    // Prevent reservations before removing the product; otherwise an order could hold units of a removed product.
    stock::store::retire(db, sku).await?;
    remove(db, &seen, expected).await
}

/// The second half of a removal, after the stock was retired.
async fn remove(db: &Database, seen: &ProductDocument, expected: &Expected) -> Result<(), Error> {
    let sku = seen.sku.as_str();
    let is_removed = store::remove(db, seen, expected).await?;
    reconcile(db, sku).await?;
    // The product was removed, or is for sale again because it has changed in the meantime.
    catalog::record_event(db, sku).await;
    if is_removed {
        return Ok(());
    }
    Err(store::why_not_found(db, seen).await?)
}

/// Retires or reopens the stock so that it agrees with whether the product exists.
async fn reconcile(db: &Database, sku: &str) -> Result<(), Error> {
    for _ in 0..MAX_ATTEMPTS {
        let Some(stock) = db.stock.find_one(doc! {"_id": sku}).await? else {
            return Ok(());
        };
        let is_sold = store::exists(db, sku).await?;
        if stock.retired != is_sold {
            return Ok(());
        }
        let update = doc! {"$set": {"retired": !is_sold, "listed": false}, "$inc": {"rev": 1_i64}};
        // This is a write as well, so the loop checks both documents again.
        db.stock
            .update_one(doc! {"_id": sku, "retired": is_sold}, update)
            .await?;
    }
    Err(Error::Contended)
}

#[cfg(test)]
mod tests;
