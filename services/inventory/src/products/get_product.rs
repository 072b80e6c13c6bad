//! `GET /v1/products/{sku}`: one product, with an entity tag that changes exactly when the product does.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::Sku;
use souk_http::{Json, Path, Problem, ProblemBody};

use super::{Language, Product, etag, store};
use crate::{app::App, database};

/// A shop may show a price for so long before it asks again; an order is quoted anew anyway.
const CACHE: &str = "public, max-age=5, stale-while-revalidate=30";

/// One product, in the language of `Accept-Language`, English or German; 304 when the client has it already.
#[utoipa::path(get, path = "/v1/products/{sku}", tag = "catalog",
    params(("sku" = Sku, Path, description = "The product"),
        ("if-none-match" = Option<String>, Header, description = "An ETag that the client has"),
        ("accept-language" = Option<String>, Header)),
    responses((status = 200, body = Product,
            headers(("etag" = String), ("cache-control" = String), ("content-language" = String))),
        (status = 304), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_product(
    State(app): State<App>,
    Path(sku): Path<Sku>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let product = database::run(async move { store::find(&app.db, sku.as_str()).await }).await?;
    let language = product.language(Language::accepted(&headers));
    let tag = etag::of_text(product.version, language);
    let caching = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, CACHE)];
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, language.headers(), caching).into_response());
    }
    let product = Product::told(product, language);
    Ok((language.headers(), caching, Json(product)).into_response())
}
