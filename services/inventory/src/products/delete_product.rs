//! `DELETE /v1/products/{sku}`: an administrator removes a product from the catalog. Its stock document is kept.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use contracts::Sku;
use souk_http::{Path, Problem, ProblemBody, auth::Admin};

use super::{etag::Expected, lifecycle};
use crate::{App, database};

/// Remove a product
///
/// Removes a product from the catalog, so that it can no longer be ordered. Its units and movements are kept and are available
/// again if the SKU is added again. Responds with 409 while orders hold units of the product, with 428 without `If-Match`, and
/// with 412 if the product has changed since it was read.
#[utoipa::path(delete, path = "/v1/products/{sku}", tag = "catalog", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "SKU of the product"),
        ("if-match" = String, Header, description = "ETag of the version that was read, or `*` for any version")),
    responses((status = 204, description = "The product was removed"),
        (status = 401, description = "No valid access token", body = ProblemBody),
        (status = 403, description = "The caller is not an administrator", body = ProblemBody),
        (status = 404, description = "No product has this SKU", body = ProblemBody),
        (status = 409, description = "Orders hold units of the product", body = ProblemBody),
        (status = 412, description = "The product has changed since it was read", body = ProblemBody),
        (status = 428, description = "If-Match is missing", body = ProblemBody),
        (status = 503, description = "The database is unavailable", body = ProblemBody)))]
pub async fn delete_product(
    State(app): State<App>,
    _: Admin,
    Path(sku): Path<Sku>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let expected = Expected::from_headers(&headers)?;
    database::run(async move { lifecycle::delete(&app.db, sku.as_str(), &expected).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
