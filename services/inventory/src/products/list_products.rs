//! `GET /v1/products`: searches, filters, sorts and pages through the catalog, with facets.

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
    listing::{self, Cursor, Filter, Sort},
    search::Words,
    store,
};
use crate::{App, Error, database};

/// Maximum number of SKUs in the parameter `skus`.
const MAX_SKUS: usize = 100;

/// Filters, order and page of a product list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProductQuery {
    /// Search words, of which the first 8 count. Each must be the beginning of a word of the product in any language.
    #[serde(default)]
    #[param(max_length = 200, example = "green tea")]
    q: Option<String>,
    /// Slug of a category; only its products are listed.
    #[serde(default)]
    #[param(example = "tea")]
    category: Option<String>,
    /// Lowest price in minor units, inclusive.
    #[serde(default)]
    #[param(minimum = 0)]
    min_price: Option<i64>,
    /// Highest price in minor units, inclusive.
    #[serde(default)]
    #[param(minimum = 0)]
    max_price: Option<i64>,
    /// Lists only products that are in stock (true) or out of stock (false).
    #[serde(default)]
    in_stock: Option<bool>,
    /// Lists only these SKUs, separated by commas, at most 100. The default of `limit` is 100 if this is set.
    #[serde(default)]
    #[param(min_length = 1, example = "TEA-0001,TEA-0002")]
    skus: Option<String>,
    /// Order of the list. `relevance` is the default and equals `name` if there is no `q`.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// Maximum number of items per page, 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<Limit>,
    /// The `next_cursor` of the previous page. The other parameters and the language must be the same.
    #[serde(default)]
    cursor: Option<String>,
}

/// A product in a list, with its current stock.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedProduct {
    /// The product in the language of the response.
    #[serde(flatten)]
    product: Product,
    /// Number of units that can be ordered now.
    #[schema(minimum = 0, example = 42)]
    available: i64,
    /// Whether at least one unit can be ordered now.
    in_stock: bool,
}

/// A page of products, with facets to narrow the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductPage {
    /// The products of this page, in the requested order.
    items: Vec<ListedProduct>,
    /// Pass this as `cursor` to get the next page. Null on the last page.
    next_cursor: Option<String>,
    /// Counts over all pages. Each facet ignores its own filter, so that it shows the results of other choices.
    facets: Facets,
}

/// Counts over all products that match the query.
#[derive(Debug, Serialize, ToSchema)]
pub struct Facets {
    /// Number of matching products in every category, in the shop's order.
    pub categories: Vec<CategoryCount>,
    /// Lowest and highest price of the matching products.
    pub price: PriceRange,
    /// Number of matching products that are in stock.
    #[schema(minimum = 0)]
    pub in_stock: i64,
}

/// The number of matching products in one category.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryCount {
    /// Key of the category, for use in URLs and filters.
    #[schema(example = "tea")]
    pub slug: String,
    /// Name of the category in the language of the response.
    #[schema(example = "Tea")]
    pub name: String,
    /// Number of matching products; may be 0.
    #[schema(minimum = 0, example = 10)]
    pub count: i64,
}

/// Lowest and highest price in minor units, like `min_price` and `max_price`; both are null if no product matches.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct PriceRange {
    /// Lowest price in minor units.
    #[schema(minimum = 1, example = 450)]
    pub min: Option<i64>,
    /// Highest price in minor units.
    #[schema(minimum = 1, example = 12900)]
    pub max: Option<i64>,
}

/// List products
///
/// Searches, filters and sorts the catalog, and returns one page with facets. Texts are in English or German, depending on
/// `Accept-Language`. Responds with 422 if a parameter is invalid or unknown, or if the cursor belongs to another query.
#[utoipa::path(get, path = "/v1/products", tag = "catalog",
    params(ProductQuery,
        ("accept-language" = Option<String>, Header, description = "Preferred languages, such as `de, en;q=0.5`")),
    responses((status = 200, description = "One page of products", body = ProductPage,
            headers(("content-language" = String, description = "Preferred language, `en` or `de`"))),
        (status = 422, description = "A parameter is invalid", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
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
    let after: Option<Cursor> = query.cursor.as_deref().map(page::decode).transpose()?;
    let (filter, sort) = parse(query)?;
    if after
        .as_ref()
        .is_some_and(|after| (after.sort, after.language) != (sort, language))
    {
        return Err(Error::field(
            "/cursor",
            "must come from a list with the same order and language",
        )
        .into());
    }
    let page = database::run(async move {
        // Run both to completion; see the module `database`.
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
            let product = Product::localized(found.product, language);
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
