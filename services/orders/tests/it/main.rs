//! Orders on a real database, and where it matters a real broker: handlers by their URLs, sagas by their replies.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails where it stands"
)]

mod answers;
mod bad_input;
mod cart;
mod checkout;
mod dead_letters;
mod epoch;
mod events;
mod faults;
mod fulfilment;
mod idempotency;
mod live;
mod openapi;
mod operators;
mod orders;
mod overload;
mod participants;
mod prices;
mod quotes;
mod receipts;
mod returns;
mod ship_or_return;
mod sse;
mod summary;
mod support;
mod timers;
