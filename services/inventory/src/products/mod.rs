//! The catalog: products and their categories. Stock lives elsewhere ([`crate::stock`]), so that a sale does not touch what
//! pages are cached by; only the flag `in_stock` is kept here, because lists are filtered by it.

pub mod create_product;
pub mod delete_product;
pub mod etag;
pub mod get_product;
pub mod image;
mod language;
mod lifecycle;
pub mod list_categories;
pub mod list_products;
mod listing;
mod picture;
mod rules;
mod search;
mod store;
pub mod update_product;

use std::collections::{BTreeMap, BTreeSet};

use bson::DateTime;
use chrono::Utc;
use contracts::{Money, Sku};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use language::Language;
pub use language::{Names, Translation, Translations};
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
    /// Counts the changes; the `ETag` is `"v{version}"`, and `"v{version}-de"` of a translation.
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
    /// The same in other languages.
    #[serde(default)]
    pub translations: Translations,
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
    /// The same for who reads German.
    #[serde(default)]
    pub name_key_de: String,
    /// Whether it can be bought, as last told by the stock.
    pub in_stock: bool,
    /// The `rev` of the stock document that told.
    pub stock_rev: i64,
}

impl ProductDocument {
    /// The words that a product is found by, from what it says of itself in any language.
    pub fn index(&mut self) {
        let german = self.translations.de.as_ref();
        let names = [Some(&self.name), german.map(|german| &german.name)];
        let texts = [self.sku.as_str(), &self.category, &self.description];
        let texts = texts
            .into_iter()
            .chain(german.map(|german| german.description.as_str()))
            .chain(self.attributes.values().map(String::as_str))
            .chain(
                german
                    .iter()
                    .flat_map(|german| german.attributes.values().map(String::as_str)),
            );
        let name_tokens: BTreeSet<_> = names
            .into_iter()
            .flatten()
            .flat_map(|name| search::tokens(name))
            .collect();
        let all: BTreeSet<_> = name_tokens
            .iter()
            .cloned()
            .chain(texts.flat_map(search::tokens))
            .collect();
        self.name_key = search::fold(&self.name);
        self.name_key_de = search::fold(german.map_or(&self.name, |german| &german.name));
        self.name_tokens = name_tokens.into_iter().collect();
        self.search = all.into_iter().collect();
    }

    /// The language in which it can answer somebody who prefers `language`.
    fn language(&self, language: Language) -> Language {
        self.translations
            .of(language)
            .map_or(Language::English, |_| language)
    }
}

impl Product {
    /// As somebody reads it who prefers `language`.
    fn told(document: ProductDocument, language: Language) -> Self {
        let ProductDocument {
            sku,
            name,
            description,
            category,
            price,
            image,
            mut attributes,
            translations,
            version,
            created_at,
            ..
        } = document;
        let (name, description) = match translations.of(language).cloned() {
            None => (name, description),
            Some(translation) => {
                attributes.extend(translation.attributes);
                (translation.name, translation.description)
            }
        };
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
    /// The same in other languages.
    #[serde(default)]
    pub names: Names,
    /// Its place on the page.
    pub position: i64,
}

impl CategoryDocument {
    /// Its key, and its name for somebody who prefers `language`.
    fn told(self, language: Language) -> (String, String) {
        let name = match language {
            Language::English => None,
            Language::German => self.names.de,
        };
        (self.slug, name.unwrap_or(self.name))
    }
}
