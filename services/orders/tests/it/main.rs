//! Tests of the orders service with a real database and, where it matters, a real broker. Handlers are called by their URLs,
//! sagas are moved by replies.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is how a test fails"
)]

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
mod replies;
mod returns;
mod ship_or_return;
mod sse;
mod summary;
mod support;
mod timers;
