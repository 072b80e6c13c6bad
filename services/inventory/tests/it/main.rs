//! Inventory on a real database, and where it matters a real broker: handlers by their URLs, holds by their commands.

#![expect(clippy::unwrap_used, reason = "a test panics where it fails")]

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
mod late;
mod openapi;
mod outage;
mod products;
mod proxy;
mod seed;
mod slow;
mod stock;
mod support;
