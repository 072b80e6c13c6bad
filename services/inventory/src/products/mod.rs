//! The catalog: products and their categories. Stock is stored separately ([`crate::stock`]), so that a sale does not change
//! products. Only the flag `in_stock` is stored in the product, because lists filter by it.

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

/// Further properties of a product, such as `"capacity": "300 ml"`.
pub type Attributes = BTreeMap<String, String>;

/// A product of the catalog, in one language.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// SKU of the product, which is its key.
    pub sku: Sku,
    /// Name of the product in the language of the response.
    #[schema(min_length = 1, max_length = 200, example = "Sencha Green Tea")]
    pub name: String,
    /// Description of the product in the language of the response.
    #[schema(max_length = 5000, example = "First flush from Uji, 100 g.")]
    pub description: String,
    /// Slug of the product's category.
    #[schema(example = "tea")]
    pub category: String,
    /// Price of one unit.
    pub price: Money,
    /// URL or absolute path of the product's image.
    #[schema(max_length = 500, example = "/v1/products/TEA-0001/image.svg")]
    pub image: String,
    /// Further properties as pairs of name and value, such as `"capacity": "300 ml"`.
    #[schema(value_type = HashMap<String, String>)]
    pub attributes: Attributes,
    /// Version of the product; every change increments it. The `ETag` is `"v{version}"`, or `"v{version}-de"` for the German
    /// translation.
    #[schema(minimum = 1, example = 1)]
    pub version: i64,
    /// Time at which the product was added (UTC).
    pub created_at: chrono::DateTime<Utc>,
}

/// The product document in the database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductDocument {
    /// The SKU, which is the document's key.
    #[serde(rename = "_id")]
    pub sku: Sku,
    /// Name of the product in English.
    pub name: String,
    /// Description of the product in English.
    pub description: String,
    /// Slug of the product's category.
    pub category: String,
    /// Price of one unit.
    pub price: Money,
    /// URL or path of an image of its own; if absent, Souk draws the image.
    #[serde(default)]
    pub image: Option<String>,
    /// Further properties with their English values.
    #[serde(default)]
    pub attributes: Attributes,
    /// Texts in languages other than English.
    #[serde(default)]
    pub translations: Translations,
    /// Version of the product; every change by an administrator increments it.
    pub version: i64,
    /// Time at which the product was added; also distinguishes products that had the same SKU.
    pub created_at: DateTime,
    /// Every word that the product is found by, normalized.
    pub search: Vec<String>,
    /// The normalized words of the name, which count more in the relevance score.
    pub name_tokens: Vec<String>,
    /// The normalized English name, used as the sort key.
    pub name_key: String,
    /// The normalized German name, or else the English one, used as the sort key in German.
    #[serde(default)]
    pub name_key_de: String,
    /// Whether the product was in stock when the flag was last updated.
    pub in_stock: bool,
    /// The `rev` of the stock document from which `in_stock` was last updated.
    pub stock_rev: i64,
}

impl ProductDocument {
    /// Computes the search words and sort keys from the product's texts in all languages. Must be called after each change.
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

    /// The language in which the product is available for a reader who prefers `language`.
    fn language(&self, language: Language) -> Language {
        self.translations
            .of(language)
            .map_or(Language::English, |_| language)
    }
}

impl Product {
    /// The product for a reader who prefers `language`; English where there is no translation.
    fn localized(document: ProductDocument, language: Language) -> Self {
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

/// The category document in the database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CategoryDocument {
    /// The slug, which is the document's key.
    #[serde(rename = "_id")]
    pub slug: String,
    /// Name of the category in English.
    pub name: String,
    /// Names in languages other than English.
    #[serde(default)]
    pub names: Names,
    /// Position of the category in the shop; lower comes first.
    pub position: i64,
}

impl CategoryDocument {
    /// The slug, and the name for a reader who prefers `language`.
    fn localized(self, language: Language) -> (String, String) {
        let name = match language {
            Language::English => None,
            Language::German => self.names.de,
        };
        (self.slug, name.unwrap_or(self.name))
    }
}
