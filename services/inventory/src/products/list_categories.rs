//! `GET /v1/categories`: the categories in the shop's order, with how many products each has.

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use souk_http::{Json, Problem, ProblemBody};
use utoipa::ToSchema;

use super::{Language, store};
use crate::{app::App, database};

/// A category of the catalog.
#[derive(Debug, Serialize, ToSchema)]
pub struct Category {
    /// Its key.
    #[schema(example = "tea")]
    pub slug: String,
    /// For a shopper.
    #[schema(example = "Tea")]
    pub name: String,
    /// Products in it.
    #[schema(example = 10)]
    pub products: i64,
}

/// All categories; there are few, so there is one page.
#[derive(Debug, Serialize, ToSchema)]
pub struct Categories {
    /// In the shop's order.
    pub items: Vec<Category>,
    /// Always null.
    pub next_cursor: Option<String>,
}

/// All categories, in the language of `Accept-Language`, English or German.
#[utoipa::path(get, path = "/v1/categories", tag = "catalog", params(("accept-language" = Option<String>, Header)),
    responses((status = 200, body = Categories, headers(("cache-control" = String), ("content-language" = String))),
        (status = 503, body = ProblemBody)))]
pub async fn list_categories(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let language = Language::accepted(&headers);
    let items = database::run(async move { store::categories(&app.db, language).await }).await?;
    let caching = [(
        header::CACHE_CONTROL,
        "public, max-age=30, stale-while-revalidate=300",
    )];
    Ok((
        language.headers(),
        caching,
        Json(Categories {
            items,
            next_cursor: None,
        }),
    )
        .into_response())
}
