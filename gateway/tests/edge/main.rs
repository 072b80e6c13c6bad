//! Tests of the gateway over real connections, with upstreams that the tests provide.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "test helpers report failures by panicking"
)]

mod access;
mod adaptive;
mod balance;
mod bodies;
mod breaker;
mod browser_spans;
mod cache;
mod compression;
mod connections;
mod discovery;
mod document;
mod faults;
mod file;
mod files;
mod fleet;
mod grpc;
mod grpc_web;
mod harness;
mod health;
mod in_flight;
mod instances;
mod joined;
mod labels;
mod matching;
mod mtls;
mod plugins;
mod proxies;
mod reference;
mod reload;
mod report;
mod requests;
mod retry;
mod rpc;
mod rpc_service;
mod shared_rate;
mod tcp;
mod tls;
mod tokens;
mod traffic;
mod transforms;
mod unread;
mod websocket;
