//! The catalog: products and their categories. Stock lives elsewhere ([`crate::stock`]), so that a sale does not touch what
//! pages are cached by; only the flag `in_stock` is kept here, because lists are filtered by it.

pub mod create_product;
pub mod delete_product;
pub mod etag;
pub mod get_product;
pub mod image;
pub mod list_categories;
pub mod list_products;
mod listing;
mod picture;
mod rules;
mod search;
mod store;
pub mod update_product;

use std::collections::BTreeMap;

use bson::DateTime;
use chrono::Utc;
use contracts::{Money, Sku};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use store::{available, find_many};

/// A product's further properties, such as `"capacity": "300 ml"`.
pub type Attributes = BTreeMap<String, String>;

/// A product as clients see it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// Its key.
    pub sku: Sku,
    /// What it is called.
    pub name: String,
    /// What it is, for a shopper.
    pub description: String,
    /// Slug of its category.
    pub category: String,
    /// Of one unit.
    pub price: Money,
    /// Where its picture is.
    pub image: String,
    /// Further properties.
    #[schema(value_type = HashMap<String, String>)]
    pub attributes: Attributes,
    /// Counts the changes; the `ETag` is `"v{version}"`.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was added.
    pub created_at: chrono::DateTime<Utc>,
}

/// A product as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductDocument {
    /// The SKU.
    #[serde(rename = "_id")]
    pub sku: Sku,
    /// See [`Product`]; so are the others up to `created_at`.
    pub name: String,
    /// For a shopper.
    pub description: String,
    /// Slug.
    pub category: String,
    /// Of one unit.
    pub price: Money,
    /// A picture elsewhere; ours when there is none.
    #[serde(default)]
    pub image: Option<String>,
    /// Further properties.
    #[serde(default)]
    pub attributes: Attributes,
    /// Counts the changes that a person made.
    pub version: i64,
    /// When it was added.
    pub created_at: DateTime,
    /// All words that it is found by, normalised.
    pub search: Vec<String>,
    /// The words of its name, which count more.
    pub name_tokens: Vec<String>,
    /// Its name as lists sort by it.
    pub name_key: String,
    /// Whether it can be bought, as last told by the stock.
    pub in_stock: bool,
    /// The `rev` of the stock document that told.
    pub stock_rev: i64,
}

impl ProductDocument {
    /// The words that a product is found by, from what it says of itself.
    pub fn index(&mut self) {
        self.name_tokens = search::tokens(&self.name);
        self.name_key = search::fold(&self.name);
        let texts = [self.sku.as_str(), &self.category, &self.description];
        let others = texts
            .into_iter()
            .chain(self.attributes.values().map(String::as_str))
            .flat_map(search::tokens);
        self.search = self.name_tokens.iter().cloned().chain(others).collect();
        self.search.sort();
        self.search.dedup();
    }
}

impl From<ProductDocument> for Product {
    fn from(document: ProductDocument) -> Self {
        let ProductDocument {
            sku,
            name,
            description,
            category,
            price,
            image,
            attributes,
            version,
            created_at,
            ..
        } = document;
        Self {
            image: image.unwrap_or_else(|| format!("/v1/products/{sku}/image.svg")),
            created_at: created_at.to_chrono(),
            sku,
            name,
            description,
            category,
            price,
            attributes,
            version,
        }
    }
}

/// A category as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CategoryDocument {
    /// Its key.
    #[serde(rename = "_id")]
    pub slug: String,
    /// For a shopper.
    pub name: String,
    /// Its place on the page.
    pub position: i64,
}
