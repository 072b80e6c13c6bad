//! `GET /v1/products/{sku}/image.svg`: the picture that Souk draws of a product.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::Sku;
use sha2::{Digest as _, Sha256};
use souk_http::{Path, Problem, ProblemBody};

use super::{etag, picture, store};
use crate::{app::App, database};

/// A picture changes only with a product's name or category.
const CACHE: &str = "public, max-age=3600, stale-while-revalidate=86400";

/// The drawn picture of a product.
#[utoipa::path(get, path = "/v1/products/{sku}/image.svg", tag = "catalog",
    params(("sku" = Sku, Path, description = "The product")),
    responses((status = 200, body = String, content_type = "image/svg+xml"), (status = 304),
        (status = 404, body = ProblemBody)))]
pub async fn get_image(
    State(app): State<App>,
    Path(sku): Path<Sku>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let product = database::run(async move { store::find(&app.db, sku.as_str()).await }).await?;
    let svg = picture::draw(product.sku.as_str(), &product.category, &product.name);
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&svg)[..8]));
    let caching = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, CACHE)];
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    // Opened by itself, an SVG is a document: let it do nothing.
    let safety = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'",
        ),
    ];
    Ok((caching, safety, svg).into_response())
}
