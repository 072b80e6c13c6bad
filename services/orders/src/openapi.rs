//! The OpenAPI document, generated from the handlers.

use axum::Json;
use souk_http::openapi::Common;
use utoipa::OpenApi;

use crate::{cart, dead_letters, faults, live, operators, orders, returns, saga};

/// The OpenAPI document of every operation of this service.
#[derive(OpenApi)]
#[openapi(
    info(title = "Souk orders", description = "Carts, orders, shipments and returns, and the sagas that carry them out."),
    // Used only by a query parameter or in a stream of events, so utoipa does not find them by itself.
    components(schemas(saga::engine::SagaStatus, live::OrderSnapshot, live::OrderChange)),
    paths(
        cart::get_cart::get_cart,
        cart::clear_cart::clear_cart,
        cart::put_item::put_item,
        cart::remove_item::remove_item,
        orders::list_orders::list_orders,
        orders::place_order::place_order,
        orders::get_order::get_order,
        orders::get_saga::get_saga,
        live::stream_order_events::stream_order_events,
        orders::cancel_order::cancel_order,
        orders::ship_order::ship_order,
        orders::deliver_order::deliver_order,
        returns::create_return::create_return,
        returns::confirm_receipt::confirm_receipt,
        returns::refuse_return::refuse_return,
        faults::list_faults::list_faults,
        faults::set_fault::set_fault,
        faults::list_active_faults::list_active_faults,
        operators::get_metrics_summary::get_metrics_summary,
        operators::list_sagas::list_sagas,
        operators::get_saga::get_any_saga,
        operators::steer_saga::retry_saga,
        operators::steer_saga::compensate_saga,
        operators::steer_saga::resolve_saga,
        dead_letters::list_dead_letters::list_dead_letters,
        dead_letters::delete_dead_letter::delete_dead_letter,
        dead_letters::redrive_dead_letter::redrive_dead_letter,
    ),
    modifiers(&Common),
    tags(
        (name = "cart", description = "The shopper's cart"),
        (name = "orders", description = "Orders and their checkout"),
        (name = "fulfilment", description = "Shipments, deliveries and returns"),
        (name = "operators", description = "For operators: sales, sagas, dead letters and fault switches"),
        (name = "faults", description = "Faults that an operator has switched on"),
    ),
)]
pub struct Document;

/// `GET /openapi.json`: returns the OpenAPI document.
pub async fn get_openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
