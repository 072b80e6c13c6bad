//! Brings the collections to what `migrations/inventory/*.json` says. Only `inventory migrate` calls it; it may run as
//! often as one likes.

use anyhow::{Context as _, Result};
use bson::{Document, doc};
use serde::Deserialize;

/// The declarations, in the order in which they are applied.
const DECLARATIONS: [(&str, &str); 4] = [
    (
        "categories",
        include_str!("../../../migrations/inventory/categories.json"),
    ),
    (
        "products",
        include_str!("../../../migrations/inventory/products.json"),
    ),
    ("stock", include_str!("../../../migrations/inventory/stock.json")),
    (
        "movements",
        include_str!("../../../migrations/inventory/movements.json"),
    ),
];

/// What one file declares.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    collection: String,
    validator: Document,
    indexes: Vec<Index>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    name: String,
    key: Document,
    #[serde(default)]
    unique: bool,
}

/// Creates what is missing and updates the validators.
pub async fn run(database: &mongodb::Database) -> Result<()> {
    let existing = database
        .list_collection_names()
        .await
        .context("cannot list the collections")?;
    for (file, text) in DECLARATIONS {
        let declaration: Declaration =
            serde_json::from_str(text).with_context(|| format!("{file}.json is malformed"))?;
        apply(database, &existing, declaration)
            .await
            .with_context(|| format!("cannot apply {file}.json"))?;
        tracing::info!(collection = file, "migrated");
    }
    // Products of before there were translations are found under their only name.
    let untold = doc! {"name_key_de": {"$exists": false}};
    let named = vec![doc! {"$set": {"name_key_de": "$name_key"}}];
    database
        .collection::<Document>("products")
        .update_many(untold, named)
        .await
        .context("cannot name the products in German")?;
    Ok(())
}

async fn apply(database: &mongodb::Database, existing: &[String], declaration: Declaration) -> Result<()> {
    let Declaration {
        collection,
        validator,
        indexes,
    } = declaration;
    let verb = if existing.contains(&collection) {
        "collMod"
    } else {
        "create"
    };
    let command = doc! {verb: &collection, "validator": validator, "validationLevel": "strict", "validationAction": "error"};
    database.run_command(command).await?;
    if indexes.is_empty() {
        return Ok(());
    }
    let indexes: Vec<_> = indexes
        .into_iter()
        .map(|index| {
            let mut document = doc! {"name": index.name, "key": index.key};
            if index.unique {
                document.insert("unique", true);
            }
            document
        })
        .collect();
    database
        .run_command(doc! {"createIndexes": &collection, "indexes": indexes})
        .await?;
    Ok(())
}
