//! The database queries of the catalog.

use bson::{Bson, Document, doc};
use futures::TryStreamExt as _;

use super::{CategoryDocument, Language, ProductDocument, etag::Expected, list_categories::Category};
use crate::{Error, database::Database, error::is_duplicate};

/// Reads a product. Fails with [`Error::NoSuchProduct`] if it does not exist.
pub(super) async fn find(db: &Database, sku: &str) -> Result<ProductDocument, Error> {
    db.products
        .find_one(doc! {"_id": sku})
        .await?
        .ok_or(Error::NoSuchProduct)
}

/// Reads the products with these SKUs in any order; unknown SKUs are left out.
pub async fn find_many(db: &Database, skus: &[String]) -> Result<Vec<ProductDocument>, Error> {
    Ok(db
        .products
        .find(doc! {"_id": {"$in": skus}})
        .await?
        .try_collect()
        .await?)
}

pub(super) async fn exists(db: &Database, sku: &str) -> Result<bool, Error> {
    Ok(db.products.find_one(doc! {"_id": sku}).await?.is_some())
}

pub(super) async fn insert(db: &Database, product: &ProductDocument) -> Result<(), Error> {
    match db.products.insert_one(product).await {
        Ok(_) => Ok(()),
        Err(error) if is_duplicate(&error) => Err(Error::DuplicateSku),
        Err(error) => Err(error.into()),
    }
}

/// Writes an administrator's change if the product still has the version `seen`. Fields that are updated from the stock are
/// kept. Fails with [`Error::Stale`] or [`Error::NoSuchProduct`] otherwise.
pub(super) async fn replace(db: &Database, product: &ProductDocument, seen: i64) -> Result<(), Error> {
    let mut set = bson::serialize_to_document(product).map_err(mongodb::error::Error::from)?;
    for field in ["_id", "created_at", "in_stock", "stock_rev"] {
        let _ = set.remove(field);
    }
    // A product that was removed and added again has the same SKU, and its versions restart at 1.
    let same = doc! {"_id": product.sku.as_str(), "created_at": product.created_at, "version": seen};
    let result = db
        .products
        .update_one(same, doc! {"$set": set, "$unset": {"told": ""}})
        .await?;
    if result.matched_count == 1 {
        Ok(())
    } else {
        Err(why_not_found(db, product).await?)
    }
}

/// Removes exactly the product that was `seen`, not one that was added with the same SKU since. Returns whether it existed.
pub(super) async fn remove(
    db: &Database,
    seen: &ProductDocument,
    expected: &Expected,
) -> Result<bool, Error> {
    let same =
        doc! {"_id": seen.sku.as_str(), "created_at": seen.created_at, "version": expected.condition()};
    Ok(db.products.delete_one(same).await?.deleted_count == 1)
}

/// Finds out why a conditional change did not find the product that was `seen`: it has changed, or it was removed.
pub(super) async fn why_not_found(db: &Database, seen: &ProductDocument) -> Result<Error, Error> {
    let same = doc! {"_id": seen.sku.as_str(), "created_at": seen.created_at};
    Ok(match db.products.find_one(same).await? {
        Some(_) => Error::Stale,
        None => Error::NoSuchProduct,
    })
}

/// Reads the number of available units of these SKUs; SKUs that are not for sale are left out.
pub async fn available(db: &Database, skus: Vec<String>) -> Result<Vec<(String, i64)>, Error> {
    let filter = doc! {"_id": {"$in": skus}, "retired": false};
    let stocks: Vec<Document> = db
        .stock
        .clone_with_type()
        .find(filter)
        .projection(doc! {"available": 1})
        .await?
        .try_collect()
        .await?;
    let units = |stock: Document| {
        Some((
            stock.get_str("_id").ok()?.to_owned(),
            to_i64(stock.get("available")?),
        ))
    };
    Ok(stocks.into_iter().filter_map(units).collect())
}

pub(super) async fn is_category(db: &Database, slug: &str) -> Result<bool, Error> {
    Ok(db.categories.find_one(doc! {"_id": slug}).await?.is_some())
}

/// Reads the categories in the shop's order, with the number of products in each.
pub(super) async fn categories(db: &Database, language: Language) -> Result<Vec<Category>, Error> {
    let categories = all_categories(db).await?;
    let group = doc! {"$group": {"_id": "$category", "count": {"$sum": 1}}};
    let counts: Vec<Document> = db.products.aggregate([group]).await?.try_collect().await?;
    let category = |category: CategoryDocument| {
        let (slug, name) = category.localized(language);
        let products = count_of(&counts, &slug);
        Category { slug, name, products }
    };
    Ok(categories.into_iter().map(category).collect())
}

pub(super) async fn all_categories(db: &Database) -> Result<Vec<CategoryDocument>, Error> {
    Ok(db
        .categories
        .find(doc! {})
        .sort(doc! {"position": 1, "_id": 1})
        .await?
        .try_collect()
        .await?)
}

pub(super) fn count_of(counts: &[Document], slug: &str) -> i64 {
    let group = counts
        .iter()
        .find(|group| group.get_str("_id").is_ok_and(|id| id == slug));
    group.and_then(|group| group.get("count")).map_or(0, to_i64)
}

/// Converts a number of either width, because servers differ in which they return. Other values become 0.
pub(super) fn to_i64(number: &Bson) -> i64 {
    match number {
        Bson::Int32(number) => i64::from(*number),
        Bson::Int64(number) => *number,
        _ => 0,
    }
}
