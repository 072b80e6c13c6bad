//! Events of products. A product is a document of its own, so what happens to it cannot be in the same update as an event
//! in the stock document. Instead the change leaves a trace by which it is found again: a product that is not `told`, or a
//! stock that is `retired` but tells of a product. What is found is told as it is by then, at once by the request, or a
//! moment later by the relay if the request did not get so far. When a Kafka is first there, this tells the whole catalog
//! and what there is of each product, seeded units among it.

use bson::{Bson, Document, doc};
use contracts::events::ProductFacts;
use futures::TryStreamExt as _;

use super::{append, levels};
use crate::{Error, database::Database, products::ProductDocument, stock::Stock};

/// Products of one kind a round takes up.
const BATCH: i64 = 100;

/// Tells what became of one product, in the trace of the request. A failure is none of the request: the relay will find
/// what is left.
pub(crate) async fn tell(db: &Database, sku: &str) {
    if !db.tells() {
        return;
    }
    if let Err(error) = tell_one(db, sku).await {
        tracing::warn!(error = error.chain(), "the product's event is told later");
    }
}

async fn tell_one(db: &Database, sku: &str) -> Result<(), Error> {
    match db.products.find_one(doc! {"_id": sku}).await? {
        Some(product) => tell_product(db, &product).await,
        None => tell_deleted(db, sku).await,
    }
}

/// Tells what requests have left.
pub(super) async fn tell_rest(db: &Database) -> Result<(), Error> {
    let products: Vec<ProductDocument> = db
        .products
        .find(doc! {"told": Bson::Null})
        .limit(BATCH)
        .await?
        .try_collect()
        .await?;
    for product in products {
        tell_product(db, &product).await?;
    }
    let gone: Vec<Stock> = db.stock.find(retired()).limit(BATCH).await?.try_collect().await?;
    for Stock { sku, .. } in gone {
        tell_one(db, &sku).await?;
    }
    Ok(())
}

/// Lets a product be told anew, because what was told of it is lost.
pub(super) async fn untell(db: &Database, sku: &str) -> Result<(), Error> {
    // The stock first: while it says that it was told, the product would be marked so again.
    db.stock
        .update_one(doc! {"_id": sku, "retired": false}, doc! {"$unset": {"told": ""}})
        .await?;
    db.products
        .update_one(doc! {"_id": sku}, doc! {"$unset": {"told": ""}})
        .await?;
    Ok(())
}

/// Tells a product as it was read, unless this version of it, or a later one, has been told.
async fn tell_product(db: &Database, product: &ProductDocument) -> Result<(), Error> {
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
    // Of a product that is new to the log nothing may have told yet what there is of it, such as the seed's units.
    let has_stock = doc! {"$and": [{"$not": [known]}, {"$gt": ["$on_hand", 0]}]};
    update.extend(append("stock_changed", levels("listed"), has_stock));
    update.push(doc! {"$set": {"told": {"created_at": since, "version": product.version}}});
    // Versions begin again when a SKU does. Nothing is told of what is being deleted: it could come after the deletion.
    let filter = doc! {"_id": sku, "retired": false, "$or": [
        {"told.created_at": {"$not": {"$gte": since}}},
        {"told.created_at": since, "told.version": {"$lt": product.version}},
    ]};
    db.stock.update_one(filter, update).await?;
    let covered = doc! {"_id": sku, "told.created_at": since, "told.version": {"$gte": product.version}};
    if db.stock.find_one(covered).await?.is_some() {
        let same = doc! {"_id": sku, "created_at": since, "version": product.version};
        db.products
            .update_one(same, doc! {"$set": {"told": true}})
            .await?;
    }
    Ok(())
}

/// Tells that a product is gone, unless that is told.
async fn tell_deleted(db: &Database, sku: &str) -> Result<(), Error> {
    let mut update = append("product_deleted", doc! {"sku": "$_id"}, true);
    update.push(doc! {"$set": {"told": Bson::Null}});
    let mut filter = retired();
    filter.insert("_id", sku);
    db.stock.update_one(filter, update).await?;
    Ok(())
}

/// Stock that orders can no longer have, of a product that was told.
fn retired() -> Document {
    doc! {"retired": true, "told.version": {"$gt": 0}}
}
