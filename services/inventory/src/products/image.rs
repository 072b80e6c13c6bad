//! `GET /v1/products/{sku}/image.svg`: the image that Souk draws for a product.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::Sku;
use souk_http::{Path, Problem, ProblemBody};

use super::{etag, picture, store};
use crate::{App, database};

/// Caching of a drawn image, which changes only with the product's name or category.
const CACHE_POLICY: &str = "public, max-age=3600, stale-while-revalidate=86400";

/// Get the drawn image of a product
///
/// Returns an SVG of 400 × 400 pixels that is derived from the SKU, the category and the name. It exists even for products
/// that have an image of their own. Responds with 304 if `If-None-Match` names the current image.
#[utoipa::path(get, path = "/v1/products/{sku}/image.svg", tag = "catalog",
    params(("sku" = Sku, Path, description = "SKU of the product"),
        ("if-none-match" = Option<String>, Header, description = "ETag of the image that the client has")),
    responses((status = 200, description = "The image", body = String, content_type = "image/svg+xml"),
        (status = 304, description = "The client has the current image"),
        (status = 404, description = "No product has this SKU", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
pub async fn get_image(
    State(app): State<App>,
    Path(sku): Path<Sku>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let product = database::run(async move { store::find(&app.db, sku.as_str()).await }).await?;
    let svg = picture::draw(product.sku.as_str(), &product.category, &product.name);
    let tag = etag::of_content(svg.as_bytes());
    let caching = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, CACHE_POLICY),
    ];
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    // A browser that opens the SVG directly treats it as a document, so forbid scripts and requests.
    let safety = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'",
        ),
    ];
    Ok((caching, safety, svg).into_response())
}
