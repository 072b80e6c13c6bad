//! The OpenAPI document, generated from the handlers' annotations.

use axum::Json;
use souk_http::openapi::Common;
use utoipa::OpenApi;

use crate::{notices, sales};

/// The OpenAPI document of the notifications API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Souk notifications", description = "Notifications of shoppers, and sales figures for administrators."),
    paths(
        notices::list_notifications::list_notifications,
        notices::read_notifications::read_all_notifications,
        notices::read_notifications::read_notification,
        sales::get_sales::get_sales,
    ),
    modifiers(&Common)
)]
pub struct Document;

/// Serves the OpenAPI document at `GET /openapi.json`.
pub(crate) async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
