//! `GET /v1/products`: the catalog as a shopper searches, filters, sorts and leafs through it, with facets.

use std::collections::HashMap;

use axum::{extract::State, http::HeaderMap, response::IntoResponse};
use contracts::Sku;
use serde::{Deserialize, Serialize};
use souk_http::{
    FieldError, Json, Problem, ProblemBody, Query,
    page::{self, Limit},
};
use utoipa::{IntoParams, ToSchema};

use super::{
    Language, Product,
    listing::{self, After, Filter, Sort},
    search::Words,
    store,
};
use crate::{Error, app::App, database};

/// SKUs in one `skus` at most.
const MAX_SKUS: usize = 100;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProductQuery {
    /// Words; each begins a word of the product, in any of its languages.
    #[serde(default)]
    q: Option<String>,
    /// Slug of a category.
    #[serde(default)]
    category: Option<String>,
    /// Least price in minor units.
    #[serde(default)]
    #[param(minimum = 0)]
    min_price: Option<i64>,
    /// Highest price in minor units.
    #[serde(default)]
    #[param(minimum = 0)]
    max_price: Option<i64>,
    /// Only what can be bought now (true) or cannot (false).
    #[serde(default)]
    in_stock: Option<bool>,
    /// Only these, separated by commas, at most 100; all on one page unless `limit` says otherwise.
    #[serde(default)]
    skus: Option<String>,
    /// The order; `relevance` without `q` is `name`.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before, with the same query.
    #[serde(default)]
    cursor: Option<String>,
}

/// A product in a list, with its stock at this moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedProduct {
    /// The product.
    #[serde(flatten)]
    product: Product,
    /// Units that can be bought now.
    available: i64,
    /// Whether there is at least one.
    in_stock: bool,
}

/// A page of products and what a shopper could narrow it by.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductPage {
    /// The products.
    items: Vec<ListedProduct>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
    /// Counts over all pages. Each ignores its own filter, so that it shows what another choice would find.
    facets: Facets,
}

/// Counts over all products that are found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Facets {
    /// By category, in the shop's order.
    pub categories: Vec<CategoryCount>,
    /// The cheapest and the dearest.
    pub price: PriceRange,
    /// How many can be bought now.
    pub in_stock: i64,
}

/// How many are found in a category.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryCount {
    /// Its key.
    pub slug: String,
    /// For a shopper.
    pub name: String,
    /// Products found.
    pub count: i64,
}

/// In minor units, as `min_price` and `max_price` are; null when nothing is found.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct PriceRange {
    /// The cheapest.
    pub min: Option<i64>,
    /// The dearest.
    pub max: Option<i64>,
}

/// Products by search, filters and order, page by page; in the language of `Accept-Language`, English or German.
#[utoipa::path(get, path = "/v1/products", tag = "catalog",
    params(ProductQuery, ("accept-language" = Option<String>, Header)),
    responses((status = 200, body = ProductPage, headers(("content-language" = String))), (status = 422, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn list_products(
    State(app): State<App>,
    headers: HeaderMap,
    Query(query): Query<ProductQuery>,
) -> Result<impl IntoResponse, Problem> {
    let language = Language::accepted(&headers);
    let limit = match query.limit {
        Some(limit) => limit,
        None if query.skus.is_some() => Limit::try_from(100).unwrap_or_default(),
        None => Limit::default(),
    };
    let after: Option<After> = query.cursor.as_deref().map(page::decode).transpose()?;
    let (filter, sort) = parse(query)?;
    if after
        .as_ref()
        .is_some_and(|after| (after.sort, after.language) != (sort, language))
    {
        return Err(Error::field("/cursor", "must be of a list in the same order").into());
    }
    let page = database::run(async move {
        // Both to their end: see the module `database`.
        let (found, facets) = tokio::join!(
            listing::list(&app.db, &filter, (sort, language), limit, after),
            listing::facets(&app.db, &filter, language)
        );
        let (found, facets) = (found?, facets?);
        let skus: Vec<_> = found
            .items
            .iter()
            .map(|found| found.product.sku.as_str().to_owned())
            .collect();
        let available: HashMap<String, i64> = store::available(&app.db, skus).await?.into_iter().collect();
        let items = found.items.into_iter().map(|found| {
            let product = Product::told(found.product, language);
            let available = available.get(product.sku.as_str()).copied().unwrap_or_default();
            ListedProduct {
                product,
                available,
                in_stock: available > 0,
            }
        });
        Ok(ProductPage {
            items: items.collect(),
            next_cursor: found.next_cursor,
            facets,
        })
    })
    .await?;
    Ok((language.headers(), Json(page)))
}

fn parse(query: ProductQuery) -> Result<(Filter, Sort), Error> {
    let mut errors = Vec::new();
    let q = query.q.filter(|q| !q.trim().is_empty());
    if q.as_ref().is_some_and(|q| q.chars().count() > 200) {
        errors.push(FieldError::new("/q", "must have at most 200 characters"));
    }
    for (pointer, price) in [("/min_price", query.min_price), ("/max_price", query.max_price)] {
        if price.is_some_and(|price| price < 0) {
            errors.push(FieldError::new(pointer, "must be 0 or more minor units"));
        }
    }
    let skus = query.skus.map(|list| {
        list.split(',')
            .map(str::parse::<Sku>)
            .collect::<Result<Vec<_>, _>>()
    });
    let skus = match skus {
        Some(Ok(skus)) if skus.len() <= MAX_SKUS => Some(skus),
        None => None,
        Some(_) => {
            errors.push(FieldError::new(
                "/skus",
                "must be 1 to 100 SKUs, separated by commas",
            ));
            None
        }
    };
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let words = q.map(|q| Words::of(&q));
    let sort = match query.sort {
        Sort::Relevance if words.is_none() => Sort::Name,
        sort => sort,
    };
    Ok((
        Filter {
            words,
            skus,
            category: query.category,
            min_price: query.min_price,
            max_price: query.max_price,
            in_stock: query.in_stock,
        },
        sort,
    ))
}
