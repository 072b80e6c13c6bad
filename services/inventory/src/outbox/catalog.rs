//! Domain events of products. A product is a document of its own, so a change of it and the event in the stock document
//! cannot be one update. Instead, a change marks the documents: a product without `told`, or a stock that is `retired` but
//! still has a `told` version, needs an event. The request records that event right after the change; if it fails to, the
//! relay does so a moment later. The event describes the product at that time. When Kafka is configured for the first time,
//! this records the whole catalog with the stock of each product.

use bson::{Bson, Document, doc};
use contracts::events::ProductFacts;
use futures::TryStreamExt as _;

use super::{append, levels};
use crate::{Error, database::Database, products::ProductDocument, stock::Stock};

/// Maximum number of documents that a round processes for each kind of change.
const BATCH: i64 = 100;

/// Records the event for the latest change of a product, within the trace of the request. A failure does not fail the
/// request, because the relay records missed events later.
pub(crate) async fn record_event(db: &Database, sku: &str) {
    if !db.publishes_events() {
        return;
    }
    if let Err(error) = record_current(db, sku).await {
        tracing::warn!(
            error = error.chain(),
            "recording a product event failed; the relay will record it"
        );
    }
}

async fn record_current(db: &Database, sku: &str) -> Result<(), Error> {
    match db.products.find_one(doc! {"_id": sku}).await? {
        Some(product) => record_product(db, &product).await,
        None => record_deletion(db, sku).await,
    }
}

/// Records events for changes whose requests failed to do so.
pub(super) async fn record_missed(db: &Database) -> Result<(), Error> {
    let products: Vec<ProductDocument> = db
        .products
        .find(doc! {"told": Bson::Null})
        .limit(BATCH)
        .await?
        .try_collect()
        .await?;
    for product in products {
        record_product(db, &product).await?;
    }
    let removed: Vec<Stock> = db.stock.find(retired()).limit(BATCH).await?.try_collect().await?;
    for Stock { sku, .. } in removed {
        record_current(db, &sku).await?;
    }
    Ok(())
}

/// Marks a product as not recorded, so that its event is recorded again after earlier events were dropped.
pub(super) async fn reset_recorded(db: &Database, sku: &str) -> Result<(), Error> {
    // The stock comes first: while it has `told`, the product would be marked as recorded again.
    db.stock
        .update_one(doc! {"_id": sku, "retired": false}, doc! {"$unset": {"told": ""}})
        .await?;
    db.products
        .update_one(doc! {"_id": sku}, doc! {"$unset": {"told": ""}})
        .await?;
    Ok(())
}

/// Records an event for this version of the product, unless this or a later version has been recorded.
async fn record_product(db: &Database, product: &ProductDocument) -> Result<(), Error> {
    let (sku, since) = (product.sku.as_str(), product.created_at);
    let facts = ProductFacts {
        name: product.name.clone(),
        category: product.category.clone(),
        price: product.price,
        version: product.version,
    };
    let facts = bson::serialize_to_bson(&facts).map_err(mongodb::error::Error::from)?;
    let known = doc! {"$gt": ["$told.version", 0]};
    let kind = doc! {"$cond": [&known, "product_changed", "product_created"]};
    let mut update = append(kind, doc! {"sku": "$_id", "product": {"$literal": facts}}, true);
    // If the product is new to the event log, its units may be, too, such as the seed's; record them as well.
    let has_stock = doc! {"$and": [{"$not": [known]}, {"$gt": ["$on_hand", 0]}]};
    update.extend(append("stock_changed", levels("listed"), has_stock));
    update.push(doc! {"$set": {"told": {"created_at": since, "version": product.version}}});
    // Versions restart when a SKU is added again. A product that is being deleted is skipped, because its event could follow
    // the deletion's event.
    let filter = doc! {"_id": sku, "retired": false, "$or": [
        {"told.created_at": {"$not": {"$gte": since}}},
        {"told.created_at": since, "told.version": {"$lt": product.version}},
    ]};
    db.stock.update_one(filter, update).await?;
    let is_recorded = doc! {"_id": sku, "told.created_at": since, "told.version": {"$gte": product.version}};
    if db.stock.find_one(is_recorded).await?.is_some() {
        let same = doc! {"_id": sku, "created_at": since, "version": product.version};
        db.products
            .update_one(same, doc! {"$set": {"told": true}})
            .await?;
    }
    Ok(())
}

/// Records that a product was deleted, unless that has been recorded.
async fn record_deletion(db: &Database, sku: &str) -> Result<(), Error> {
    let mut update = append("product_deleted", doc! {"sku": "$_id"}, true);
    update.push(doc! {"$set": {"told": Bson::Null}});
    let mut filter = retired();
    filter.insert("_id", sku);
    db.stock.update_one(filter, update).await?;
    Ok(())
}

/// Filter for stock of removed products whose deletion has not been recorded.
fn retired() -> Document {
    doc! {"retired": true, "told.version": {"$gt": 0}}
}
