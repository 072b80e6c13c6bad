//! The links that a request passes before it is answered, in the order of the file. A link may refuse the request or
//! add to what is known of it; it never sees its body.

pub mod api_key;
pub mod auth;
pub mod cors;
pub mod keys;
pub mod rate;
pub mod scope;

use std::{net::IpAddr, sync::Arc, time::Instant};

use http::{HeaderMap, Method};

use crate::{core::Core, problem::Problem};
pub use auth::{Auth, Identity};
pub use cors::Cors;
pub use rate::Rate;
use rate::network;
pub use scope::ScopeRule;

/// A link, ready for requests. Links of one policy are shared by all routes that use it.
#[derive(Debug, Clone)]
pub enum Link {
    /// A token is required.
    Auth(Arc<Auth>),
    /// A token may be absent.
    AuthIfGiven(Arc<Auth>),
    /// A role is required.
    Role(String),
    /// What an API key may be used for.
    Scope(Arc<ScopeRule>),
    /// A quota.
    Rate(Arc<Rate>),
    /// Browsers from other origins.
    Cors(Arc<Cors>),
}

/// Who sends requests, as far as fairness goes: a user, or without one an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Client {
    /// The subject of the token.
    User(Arc<str>),
    /// The client's address; an IPv6 network of 64 bits counts as one.
    Address(IpAddr),
}

/// What is known of a request on its way through the chain.
#[derive(Debug)]
pub struct Passage {
    /// The client.
    pub client: IpAddr,
    /// When the request must be answered.
    pub deadline: Instant,
    /// Who asks, once that is known.
    pub identity: Option<Arc<Identity>>,
    /// Whether that was said by an API key.
    pub has_api_key: bool,
    /// Headers for the answer, whatever it will be.
    pub answer: HeaderMap,
}

impl Passage {
    /// Of a request of which nothing is known but where it comes from.
    #[must_use]
    pub fn new(client: IpAddr, deadline: Instant) -> Self {
        Self {
            client,
            deadline,
            identity: None,
            has_api_key: false,
            answer: HeaderMap::new(),
        }
    }

    /// The user where one is known, else the address.
    #[must_use]
    pub fn by_user(&self) -> Client {
        match &self.identity {
            Some(identity) => Client::User(Arc::clone(&identity.subject)),
            None => self.by_address(),
        }
    }

    /// The client by its network address, whether or not its user is known. An IPv6 client counts by its network.
    #[must_use]
    pub fn by_address(&self) -> Client {
        Client::Address(network(self.client))
    }
}

impl Link {
    /// Lets the request pass, or says why not.
    pub async fn pass(
        &self,
        core: &Core,
        passage: &mut Passage,
        method: &Method,
        headers: &mut HeaderMap,
    ) -> Result<(), Problem> {
        match self {
            Self::Auth(auth) => auth.pass(core, passage, headers, true).await,
            Self::AuthIfGiven(auth) => auth.pass(core, passage, headers, false).await,
            Self::Role(role) => match &passage.identity {
                Some(identity) if identity.roles.iter().any(|own| own == role) => Ok(()),
                Some(_) => Err(Problem::forbidden(
                    "this needs a role that the account does not have",
                )),
                None => Err(Problem::unauthorized("a token is required")),
            },
            Self::Scope(rule) => rule.pass(passage, method),
            Self::Rate(rate) => rate.pass(passage),
            Self::Cors(origins) => {
                origins.pass(passage, method, headers);
                Ok(())
            }
        }
    }
}
