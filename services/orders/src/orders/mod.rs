//! Orders: placing, reading, cancelling, shipping and delivering them. How a checkout changes an order is declared in
//! `saga/checkout.rs`.

pub mod cancel_order;
pub mod deliver_order;
pub mod get_order;
pub mod get_saga;
pub mod list_orders;
pub mod place_order;
pub mod ship_order;
mod status;
pub mod store;
mod view;

pub use status::{FulfilmentStatus, OrderStatus, PaymentStatus, ReturnStatus};
pub use view::{LineView, OrderView, ReturnView, ShipmentView};
