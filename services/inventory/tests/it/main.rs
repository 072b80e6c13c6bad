//! Tests of inventory on a real database and, where needed, a real broker. Handlers are called by URL, holds by command.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod accounts;
mod catalog;
mod commands;
mod durability;
mod events;
mod expiry;
mod grpc;
mod holds;
mod kafka;
mod language;

mod openapi;
mod outage;
mod products;
mod proxy;
mod redelivery;
mod seed;
mod slow;
mod stock;
mod support;
