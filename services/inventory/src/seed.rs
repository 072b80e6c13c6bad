//! Adds the demo catalog of 60 products in 6 categories from `seed/catalog.json`. Running it again adds only missing products
//! and translations; it never changes existing stock.

use std::time::Duration;

use anyhow::{Context as _, Result};
use bson::{DateTime, doc};
use contracts::{Currency, Money, Sku};
use serde::Deserialize;

use crate::{
    database::Database,
    holds::sweeper,
    products::{Attributes, Names, ProductDocument, Translations},
    stock::{Movement, MovementKind, Stock},
};

const CATALOG: &str = include_str!("../seed/catalog.json");
/// Creation time of the first product (2026-01-05T08:00:00Z); each following product was created one hour later.
const OPENING_MILLIS: i64 = 1_767_600_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalog {
    categories: Vec<Category>,
    products: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    slug: String,
    name: String,
    names: Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    sku: Sku,
    name: String,
    description: String,
    category: String,
    /// Price of one unit in euro cents.
    price: i64,
    on_hand: i64,
    attributes: Attributes,
    translations: Translations,
}

/// Adds missing categories, products and translations, and updates the availability of every product.
pub async fn run(db: &Database) -> Result<()> {
    let catalog: Catalog = serde_json::from_str(CATALOG).context("catalog.json is malformed")?;
    for (position, Category { slug, name, names }) in (0_i64..).zip(catalog.categories) {
        let names = bson::serialize_to_bson(&names)?;
        let blank = doc! {"$setOnInsert": {"name": name, "names": &names, "position": position}};
        db.categories
            .update_one(doc! {"_id": &slug}, blank)
            .upsert(true)
            .await?;
        // Categories that were seeded before translations existed.
        let untranslated = doc! {"_id": slug, "names": {"$exists": false}};
        db.categories
            .update_one(untranslated, doc! {"$set": {"names": names}})
            .await?;
    }
    let (mut added, mut created_at) = (0, Duration::ZERO);
    for item in catalog.products {
        added += u64::from(add(db, item, created_at).await?);
        created_at += Duration::from_hours(1);
    }
    // Update availability now, so that the catalog is correct before the service runs.
    while sweeper::sweep_once(db).await? != sweeper::SweepResult::default() {}
    tracing::info!(added, "seeded");
    Ok(())
}

/// Adds one product and its stock unless they exist. Returns whether the product was added.
async fn add(db: &Database, item: Item, since_opening: Duration) -> Result<bool> {
    let Item {
        sku,
        name,
        description,
        category,
        price,
        on_hand,
        attributes,
        translations,
    } = item;
    let at = DateTime::from_millis(OPENING_MILLIS + i64::try_from(since_opening.as_millis())?);
    let mut stock = Stock::empty(sku.as_str());
    if on_hand > 0 {
        let mut movement = Movement::new(format!("seed/{sku}"), MovementKind::Receive, on_hand, at);
        movement.reason = Some("seed".to_owned());
        (stock.on_hand, stock.available, stock.received) = (on_hand, on_hand, on_hand);
        stock.journal.push(movement);
    }
    // Higher than the `stock_rev` 0 of a new product, so that the first availability update is applied.
    stock.rev = 1;
    let mut product = ProductDocument {
        sku: sku.clone(),
        name,
        description,
        category,
        price: Money::new(price, Currency::EUR),
        image: None,
        attributes,
        translations,
        version: 1,
        created_at: at,
        search: Vec::new(),
        name_tokens: Vec::new(),
        name_key: String::new(),
        name_key_de: String::new(),
        in_stock: false,
        stock_rev: 0,
    };
    product.index();
    let blank = without_id(bson::serialize_to_document(&stock)?);
    db.stock
        .update_one(doc! {"_id": sku.as_str()}, doc! {"$setOnInsert": blank})
        .upsert(true)
        .await?;
    let blank = without_id(bson::serialize_to_document(&product)?);
    let result = db
        .products
        .update_one(doc! {"_id": sku.as_str()}, doc! {"$setOnInsert": blank})
        .upsert(true)
        .await?;
    if result.upserted_id.is_none() {
        translate(db, &product).await?;
    }
    Ok(result.upserted_id.is_some())
}

/// Adds translations to a product that was seeded before translations existed, if its texts are unchanged since.
async fn translate(db: &Database, product: &ProductDocument) -> Result<()> {
    let untranslated = doc! {
        "_id": product.sku.as_str(),
        "name": &product.name,
        "description": &product.description,
        "translations": {"$exists": false},
    };
    let translations = doc! {
        "translations": bson::serialize_to_bson(&product.translations)?,
        "search": &product.search,
        "name_tokens": &product.name_tokens,
        "name_key_de": &product.name_key_de,
    };
    db.products
        .update_one(untranslated, doc! {"$set": translations})
        .await?;
    Ok(())
}

fn without_id(mut document: bson::Document) -> bson::Document {
    let _ = document.remove("_id");
    document
}
