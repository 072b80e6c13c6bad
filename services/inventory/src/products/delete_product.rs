//! `DELETE /v1/products/{sku}`: an administrator takes a product off sale. The books of its stock stay.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use contracts::Sku;
use souk_http::{Path, Problem, ProblemBody, auth::Admin};

use super::{etag::Expected, lifecycle};
use crate::{app::App, database};

/// Removes a product; 409 while orders hold units of it, 428 without `If-Match`, 412 when it has changed since.
#[utoipa::path(delete, path = "/v1/products/{sku}", tag = "catalog", security(("bearer" = [])),
    params(("sku" = Sku, Path, description = "The product"),
        ("if-match" = String, Header, description = "The ETag of the version that was seen")),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 412, body = ProblemBody),
        (status = 428, body = ProblemBody)))]
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
