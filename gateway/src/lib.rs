//! The API gateway: the only component that clients can reach. A request passes through these steps in order: listener,
//! limits, route, chain of policies, upstream; the response goes back the same way. Everything that is served is
//! declared in `gateway.yaml`, never in code.
//!
//! The modules are layers; each uses only those before it: `config`, `message` and `report`, then `links`, `upstream`
//! and `actions`, then `openapi`, then `snapshot`, then `serve`.

pub mod actions;
pub mod config;
pub mod links;
pub mod message;
pub mod metrics;
pub mod openapi;
pub mod process;
pub mod report;
pub mod serve;
pub mod snapshot;
pub mod upstream;

pub use serve::Gateway;
