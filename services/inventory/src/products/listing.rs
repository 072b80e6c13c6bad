//! The database queries of a product list: filter, order, page and facets.

use bson::{Bson, DateTime, Document, doc};
use contracts::Sku;
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use souk_http::page::{Limit, Page};
use utoipa::ToSchema;

use super::{
    CategoryDocument, Language, ProductDocument,
    list_products::{CategoryCount, Facets, PriceRange},
    search::Words,
    store::{all_categories, count_of, to_i64},
};
use crate::{Error, database::Database};

/// The filters of a product list; absent filters match every product.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub words: Option<Words>,
    pub skus: Option<Vec<Sku>>,
    pub category: Option<String>,
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    pub in_stock: Option<bool>,
}

/// A filter that also has counts of its alternatives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Facet {
    Category,
    Price,
    Stock,
}

impl Filter {
    /// The conditions that apply to every facet.
    fn base(&self) -> Document {
        let mut filter = self.words.as_ref().map(Words::filter).unwrap_or_default();
        if let Some(skus) = &self.skus {
            let skus: Vec<_> = skus.iter().map(Sku::as_str).collect();
            filter.insert("_id", doc! {"$in": skus});
        }
        filter
    }

    /// The conditions of every facet except `ignored`.
    fn except(&self, ignored: Option<Facet>) -> Document {
        let mut filter = Document::new();
        if let Some(category) = self
            .category
            .as_ref()
            .filter(|_| ignored != Some(Facet::Category))
        {
            filter.insert("category", category);
        }
        if ignored != Some(Facet::Price) {
            let mut range = Document::new();
            range.extend(
                self.min_price
                    .map(|least| ("$gte".to_owned(), Bson::Int64(least))),
            );
            range.extend(self.max_price.map(|most| ("$lte".to_owned(), Bson::Int64(most))));
            if !range.is_empty() {
                filter.insert("price.amount", range);
            }
        }
        if let Some(in_stock) = self.in_stock.filter(|_| ignored != Some(Facet::Stock)) {
            filter.insert("in_stock", in_stock);
        }
        filter
    }
}

/// The order of a product list. Ties are sorted by SKU, so that pages neither repeat nor skip products.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
    /// The best match comes first.
    #[default]
    Relevance,
    /// The lowest price comes first.
    Price,
    /// The highest price comes first.
    #[serde(rename = "-price")]
    PriceDescending,
    /// The most recently added product comes first.
    Newest,
    /// Alphabetically by name in the language of the response.
    Name,
}

impl Sort {
    /// The sorted field, and 1 for ascending or -1 for descending order.
    fn key(self, language: Language) -> (&'static str, i32) {
        match self {
            Self::Relevance => ("score", -1),
            Self::Price => ("price.amount", 1),
            Self::PriceDescending => ("price.amount", -1),
            Self::Newest => ("created_at", -1),
            Self::Name => match language {
                Language::English => ("name_key", 1),
                Language::German => ("name_key_de", 1),
            },
        }
    }
}

/// The position after the last item of a page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub sort: Sort,
    /// The language in which names are sorted.
    #[serde(default)]
    pub language: Language,
    key: Key,
    id: String,
}

/// The last item's value of the sorted field.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Number(i64),
    Text(String),
}

impl Cursor {
    /// The condition for items after this position.
    fn condition(&self) -> Document {
        let (field, direction) = self.sort.key(self.language);
        let key = match &self.key {
            Key::Number(millis) if self.sort == Sort::Newest => {
                Bson::DateTime(DateTime::from_millis(*millis))
            }
            Key::Number(number) => Bson::Int64(*number),
            Key::Text(text) => Bson::String(text.clone()),
        };
        let beyond = if direction > 0 { "$gt" } else { "$lt" };
        doc! {"$or": [{field: {beyond: key.clone()}}, {field: key, "_id": {"$gt": &self.id}}]}
    }
}

/// A product of a list, with its relevance score (0 for other orders).
pub(super) struct ScoredProduct {
    pub product: ProductDocument,
    score: i64,
}

impl ScoredProduct {
    fn cursor(&self, sort: Sort, language: Language) -> Cursor {
        let product = &self.product;
        let key = match sort {
            Sort::Relevance => Key::Number(self.score),
            Sort::Price | Sort::PriceDescending => Key::Number(product.price.amount),
            Sort::Newest => Key::Number(product.created_at.timestamp_millis()),
            Sort::Name => Key::Text(match language {
                Language::English => product.name_key.clone(),
                Language::German => product.name_key_de.clone(),
            }),
        };
        Cursor {
            sort,
            language,
            key,
            id: product.sku.to_string(),
        }
    }
}

/// Reads one page of products.
pub(super) async fn list(
    db: &Database,
    filter: &Filter,
    (sort, language): (Sort, Language),
    limit: Limit,
    after: Option<Cursor>,
) -> Result<Page<ScoredProduct>, Error> {
    let mut conditions = filter.base();
    conditions.extend(filter.except(None));
    let mut pipeline = vec![doc! {"$match": conditions}];
    if let (Sort::Relevance, Some(words)) = (sort, &filter.words) {
        pipeline.push(doc! {"$addFields": {"score": words.score()}});
    }
    pipeline.extend(after.map(|after| doc! {"$match": after.condition()}));
    let (field, direction) = sort.key(language);
    pipeline.push(doc! {"$sort": {field: direction, "_id": 1}});
    pipeline.push(doc! {"$limit": i64::from(limit.get()) + 1});
    let found: Vec<Document> = db.products.aggregate(pipeline).await?.try_collect().await?;
    let found = found.into_iter().map(|document| {
        let score = document.get("score").map_or(0, to_i64);
        let product = bson::deserialize_from_document(document).map_err(mongodb::error::Error::from)?;
        Ok(ScoredProduct { product, score })
    });
    let found = found.collect::<Result<Vec<_>, Error>>()?;
    Ok(Page::of(found, limit, |found| found.cursor(sort, language)))
}

/// Computes the facets of a list.
pub(super) async fn facets(db: &Database, filter: &Filter, language: Language) -> Result<Facets, Error> {
    let in_stock = {
        let mut conditions = filter.except(Some(Facet::Stock));
        conditions.insert("in_stock", true);
        conditions
    };
    let facets = doc! {
        "categories": [
            {"$match": filter.except(Some(Facet::Category))},
            {"$group": {"_id": "$category", "count": {"$sum": 1}}},
        ],
        "price": [
            {"$match": filter.except(Some(Facet::Price))},
            {"$group": {"_id": Bson::Null, "min": {"$min": "$price.amount"}, "max": {"$max": "$price.amount"}}},
        ],
        "in_stock": [{"$match": in_stock}, {"$count": "count"}],
    };
    let pipeline = [doc! {"$match": filter.base()}, doc! {"$facet": facets}];
    let mut found: Vec<Document> = db.products.aggregate(pipeline).await?.try_collect().await?;
    let found: FacetDocument = bson::deserialize_from_document(found.pop().unwrap_or_default())
        .map_err(mongodb::error::Error::from)?;
    let categories = all_categories(db)
        .await?
        .into_iter()
        .map(|category: CategoryDocument| {
            let (slug, name) = category.localized(language);
            let count = count_of(&found.categories, &slug);
            CategoryCount { slug, name, count }
        });
    Ok(Facets {
        categories: categories.collect(),
        price: found.price.into_iter().next().unwrap_or_default(),
        in_stock: found
            .in_stock
            .first()
            .and_then(|group| group.get("count"))
            .map_or(0, to_i64),
    })
}

#[derive(Deserialize)]
struct FacetDocument {
    #[serde(default)]
    categories: Vec<Document>,
    #[serde(default)]
    price: Vec<PriceRange>,
    #[serde(default)]
    in_stock: Vec<Document>,
}
