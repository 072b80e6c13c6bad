//! Serves requests: a listener accepts the connection, the route is found, the request passes its chain, and its action
//! produces the response. [`request`] shows these steps from top to bottom.

mod acme;
mod completion;
mod connections;
mod dashboard;
pub(crate) mod framing;
mod gateway;
mod history;
mod labels;
mod listen;
mod open_files;
mod preface;
mod proxy_protocol;
mod reload;
mod report;
mod request;
mod stall;
mod tcp;
mod tls;

pub(crate) use dashboard::dashboard;
pub use gateway::Gateway;
pub use listen::{join, start};
pub(crate) use open_files::raise_limit;
pub use reload::follow;

pub use crate::report::Source;
