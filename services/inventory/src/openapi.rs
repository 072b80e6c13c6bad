//! The OpenAPI document of the REST API, generated from the handlers' annotations.

use axum::{Json, http::StatusCode};
use souk_http::openapi::Common;
use utoipa::{Modify, OpenApi, openapi::RefOr};

use crate::{products, stock};

/// The OpenAPI document of inventory's REST API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Souk inventory", description = "The product catalog and the stock of each product."),
    paths(
        products::list_products::list_products,
        products::create_product::create_product,
        products::get_product::get_product,
        products::update_product::update_product,
        products::delete_product::delete_product,
        products::image::get_image,
        products::list_categories::list_categories,
        stock::get_stock::get_stock,
        stock::adjust_stock::adjust_stock,
    ),
    modifiers(&Common, &Descriptions),
    tags((name = "catalog", description = "Products and categories"),
        (name = "stock", description = "Stock levels and adjustments, for administrators")),
)]
pub struct Document;

/// Fills in missing response descriptions with the status text, because `OpenAPI` requires a description.
struct Descriptions;

impl Modify for Descriptions {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for item in document.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
            let operations = operations.into_iter().filter_map(Option::as_mut);
            for (status, response) in operations.flat_map(|operation| &mut operation.responses.responses) {
                if let RefOr::T(response) = response
                    && response.description.is_empty()
                {
                    let status = status.parse::<StatusCode>().ok();
                    let reason = status.and_then(|status| status.canonical_reason());
                    reason.unwrap_or("Response").clone_into(&mut response.description);
                }
            }
        }
    }
}

/// Serves the OpenAPI document at `GET /openapi.json`.
pub async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
