//! The OpenAPI document of the REST API, from the handlers themselves.

use axum::{Json, http::StatusCode};
use souk_http::openapi::Bearer;
use utoipa::{Modify, OpenApi, openapi::RefOr};

use crate::{products, stock};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Souk inventory", description = "The catalog and the stock."),
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
    modifiers(&Bearer, &Descriptions),
    tags((name = "catalog", description = "What is sold"), (name = "stock", description = "How many there are")),
)]
pub struct Document;

/// `OpenAPI` demands a description of every answer; what the handlers do not describe is called by its status.
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
                    reason.unwrap_or("Answer").clone_into(&mut response.description);
                }
            }
        }
    }
}

/// `GET /openapi.json`.
pub async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
