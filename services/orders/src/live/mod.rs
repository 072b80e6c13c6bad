//! An order as it happens: Server-Sent Events from the log of its events. All that a stream knows is in the database, so
//! any replica can go on where another one stopped. Nothing here writes.

pub mod feed;
mod read;
pub mod stream_order_events;

pub use feed::Feed;
pub use read::{OrderChange, OrderSnapshot};
