//! The one public door. A request passes in a straight line: listener → limits → route → chain → upstream, and back. What
//! is served stands in `gateway.yaml`, never in code.

pub mod aggregate;
pub mod body;
mod browser_spans;
pub mod chain;
pub mod client_body;
pub mod config;
pub mod connections;
pub mod core;
mod files;

pub mod forward;
pub mod framing;
pub mod headers;
pub mod listen;
pub mod metrics;
mod open_files;
pub mod openapi;
pub mod problem;
pub mod process;
pub mod route;
mod security_headers;
pub mod serve;
pub mod stall;
pub mod template;
pub mod transcode;
pub mod upstream;

pub use core::Gateway;
