//! Creates and updates the collections as declared in `migrations/inventory/*.json`. Only `inventory migrate` calls this. It
//! may run any number of times.

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

/// A collection with its validator and indexes, as one file declares it.
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

/// Creates missing collections and indexes, and updates the validators of existing collections.
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
    // Products from before translations existed are sorted by their only name.
    let untranslated = doc! {"name_key_de": {"$exists": false}};
    let update = vec![doc! {"$set": {"name_key_de": "$name_key"}}];
    database
        .collection::<Document>("products")
        .update_many(untranslated, update)
        .await
        .context("cannot set name_key_de of untranslated products")?;
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
