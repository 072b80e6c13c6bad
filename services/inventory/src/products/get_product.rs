//! `GET /v1/products/{sku}`: one product, with an entity tag that changes exactly when the product changes.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::Sku;
use souk_http::{Json, Path, Problem, ProblemBody};

use super::{Language, Product, etag, store};
use crate::{App, database};

/// Caching of a product. A slightly outdated price is harmless, because an order always gets a current quote.
const CACHE_POLICY: &str = "public, max-age=5, stale-while-revalidate=30";

/// Get a product
///
/// Returns one product in English or German, depending on `Accept-Language`. English is used if there is no translation.
/// Responds with 304 if `If-None-Match` names the current version.
#[utoipa::path(get, path = "/v1/products/{sku}", tag = "catalog",
    params(("sku" = Sku, Path, description = "SKU of the product"),
        ("if-none-match" = Option<String>, Header, description = "ETag of the version that the client has"),
        ("accept-language" = Option<String>, Header, description = "Preferred languages, such as `de, en;q=0.5`")),
    responses((status = 200, description = "The product", body = Product,
            headers(("etag" = String, description = "Entity tag of this version and language"),
                ("cache-control" = String, description = "How long the response may be cached"),
                ("content-language" = String, description = "Language of the texts, `en` or `de`"))),
        (status = 304, description = "The client has the current version"),
        (status = 404, description = "No product has this SKU", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
pub async fn get_product(
    State(app): State<App>,
    Path(sku): Path<Sku>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let product = database::run(async move { store::find(&app.db, sku.as_str()).await }).await?;
    let language = product.language(Language::accepted(&headers));
    let tag = etag::of_text(product.version, language);
    let caching = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, CACHE_POLICY),
    ];
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, language.headers(), caching).into_response());
    }
    let product = Product::localized(product, language);
    Ok((language.headers(), caching, Json(product)).into_response())
}
