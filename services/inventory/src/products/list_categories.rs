//! `GET /v1/categories`: the categories in the shop's order, with the number of products in each.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use souk_http::{Problem, ProblemBody};
use utoipa::ToSchema;

use super::{Language, etag, store};
use crate::{App, database};

/// A category of the catalog.
#[derive(Debug, Serialize, ToSchema)]
pub struct Category {
    /// Key of the category, for use in URLs and filters.
    #[schema(example = "tea")]
    pub slug: String,
    /// Name of the category in the language of the response.
    #[schema(example = "Tea")]
    pub name: String,
    /// Number of products in the category.
    #[schema(minimum = 0, example = 10)]
    pub products: i64,
}

/// Every category of the catalog on a single page.
#[derive(Debug, Serialize, ToSchema)]
pub struct Categories {
    /// The categories in the order in which the shop shows them.
    pub items: Vec<Category>,
    /// Always null, because there is only one page.
    pub next_cursor: Option<String>,
}

/// List the categories
///
/// Returns every category with its number of products, named in English or German, depending on `Accept-Language`.
/// Responds with 304 if `If-None-Match` names the current list.
#[utoipa::path(get, path = "/v1/categories", tag = "catalog",
    params(("accept-language" = Option<String>, Header, description = "Preferred languages, such as `de, en;q=0.5`"),
        ("if-none-match" = Option<String>, Header, description = "ETag of the response that the client has")),
    responses((status = 200, description = "Every category", body = Categories,
            headers(("etag" = String, description = "Entity tag of the list in this language"),
                ("cache-control" = String, description = "How long the response may be cached"),
                ("content-language" = String, description = "Language of the names, `en` or `de`"))),
        (status = 304, description = "The client has the current list"),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
pub async fn list_categories(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let language = Language::accepted(&headers);
    let items = database::run(async move { store::categories(&app.db, language).await }).await?;
    let list = Categories {
        items,
        next_cursor: None,
    };
    let body = serde_json::to_vec(&list).map_err(Problem::internal)?;
    let tag = etag::of_content(&body);
    let caching = [
        (header::ETAG, tag.as_str()),
        (
            header::CACHE_CONTROL,
            "public, max-age=30, stale-while-revalidate=300",
        ),
    ];
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, language.headers(), caching).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((language.headers(), caching, kind, body).into_response())
}
