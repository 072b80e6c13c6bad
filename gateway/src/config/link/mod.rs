//! The links of a policy in the file.

mod access;
mod cache;
mod limits;
mod resend;
mod traffic;
mod transforms;
mod wasm;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Bytes, Name};

pub use access::{Basic, Cors, ForwardAuth, IpRule, Maintenance, ScopeRule};
pub use cache::Cache;
pub use limits::{Breaker, InFlight, Rate, RateBy, Shared, Slow};
pub use resend::{Hedge, Retry};
pub use traffic::{Canary, Fault, Mirror, Split};
pub use transforms::{Compress, HeaderChanges, HeaderRules, Rewrite};
pub use wasm::Wasm;

/// One link of a policy. A request passes the links in the order of the file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Link {
    /// No token is needed, and none is verified. Every route must have this link or one that authenticates
    /// clients (`auth`, `auth_if_given`, `basic`, `forward_auth`); there is no default.
    Anonymous,
    /// A valid token of this issuer is required.
    Auth(Name),
    /// A token of this issuer is verified if there is one; an invalid token is rejected.
    AuthIfGiven(Name),
    /// The authenticated user must have this role.
    Role(String),
    /// Scopes that an API key needs; must come after an `auth` link to have an effect.
    Scope(ScopeRule),
    /// A quota of requests for each client.
    Rate(Rate),
    /// Origins whose web pages may read the responses (CORS).
    Cors(Cors),
    /// Clients' addresses that are allowed or denied.
    Ip(IpRule),
    /// Every request is rejected with 503, except those from allowed networks.
    Maintenance(Maintenance),
    /// Maximum size of a request's body. It takes the place of the one in `limits`, and the last such link counts.
    Body(Bytes),
    /// Changes header fields of the request and of the response.
    Headers(HeaderRules),
    /// Changes the path of the request before it is forwarded.
    Rewrite(Rewrite),
    /// Compresses responses for clients that accept it.
    Compress(Compress),
    /// A name and a password are required.
    Basic(Basic),
    /// A service decides whether the request may pass.
    ForwardAuth(ForwardAuth),
    /// Stores responses in memory and answers later requests with them.
    Cache(Cache),
    /// Delays or fails a part of the requests, to test what depends on the route.
    Fault(Fault),
    /// Sends copies of requests to another upstream.
    Mirror(Mirror),
    /// Forwards the requests of clients that ask for it to another upstream.
    Canary(Canary),
    /// Distributes requests over several upstreams.
    Split(Split),
    /// Calls a plugin, which may change or answer requests.
    Wasm(Wasm),
    /// Stops calls to an upstream that fails. Each route has its own breaker for each upstream.
    Breaker(Breaker),
    /// Limits concurrent calls to an upstream. Each route has its own limit for each upstream.
    InFlight(InFlight),
    /// Sends requests again that failed.
    Retry(Retry),
    /// Asks a second instance if the first one is slow.
    Hedge(Hedge),
}
