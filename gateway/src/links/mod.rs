//! The chain: the links that a request passes before it is handled, in the order of the file. A link may reject the
//! request, answer it, or change it, and it may change the response. It never sees the body of a request.

pub mod auth;
pub mod basic;
pub mod cache;
pub mod choose;
pub mod compress;
pub mod cors;
pub mod fault;
pub mod forward_auth;
pub mod headers;
pub mod ip;
pub mod maintenance;
pub mod mirror;
mod policies;
pub mod rate;
pub mod rewrite;
pub mod scope;
pub mod wasm;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Instant};

use bytes::Bytes;
use http::{HeaderMap, Response, request};
use tokio::sync::oneshot;

use crate::{
    config::{self, Config, ConfigError, Protocol, RateBy, Route},
    message::{Client, Problem, ResponseBody, network},
    upstream::Pools,
};
pub use auth::{Auth, Identity};
pub use basic::Basic;
pub use cache::Cache;
pub(crate) use choose::alternatives;
pub use choose::{Canary, Chosen, Split};
pub use compress::Compress;
pub use cors::Cors;
pub use fault::Fault;
pub use forward_auth::ForwardAuth;
pub use headers::HeaderRules;
pub use ip::IpRule;
pub use maintenance::Maintenance;
pub use mirror::Mirror;
pub use policies::Policies;
pub use rate::{Rate, Redis};
pub use rewrite::Rewrite;
pub use scope::ScopeRule;
pub use wasm::Wasm;

/// A compiled link. The links of a policy are shared by all routes that use it.
#[derive(Debug, Clone)]
pub enum Link {
    /// A token is required.
    Auth(Arc<Auth>),
    /// A token is verified if there is one.
    AuthIfGiven(Arc<Auth>),
    /// The user must have this role.
    Role(String),
    /// An API key must have one of these scopes.
    Scope(Arc<ScopeRule>),
    /// A quota of requests for each client.
    Rate(Arc<Rate>),
    /// Web pages of these origins may read the response.
    Cors(Arc<Cors>),
    /// Clients' addresses that are allowed or denied.
    Ip(Arc<IpRule>),
    /// Only some networks have access.
    Maintenance(Arc<Maintenance>),
    /// Maximum size of a request's body, in bytes.
    Body(usize),
    /// Header fields of requests and responses are changed.
    Headers(Arc<HeaderRules>),
    /// The path is changed.
    Rewrite(Arc<Rewrite>),
    /// Responses are compressed for clients that accept it.
    Compress(Arc<Compress>),
    /// A name and a password are required.
    Basic(Arc<Basic>),
    /// A service decides whether the request may pass.
    ForwardAuth(Arc<ForwardAuth>),
    /// Copies are sent to another upstream.
    Mirror(Arc<Mirror>),
    /// Some clients reach another upstream.
    Canary(Arc<Canary>),
    /// Several upstreams share the requests.
    Split(Arc<Split>),
    /// Responses are stored and used again.
    Cache(Arc<Cache>),
    /// A part of the requests is delayed or fails.
    Fault(Arc<Fault>),
    /// A plugin is called.
    Wasm(Arc<Wasm>),
}

/// What the links are compiled with, besides their own configuration.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The configuration that is being compiled.
    pub config: &'a Config,
    /// The verifiers of tokens, by name.
    pub auths: &'a BTreeMap<String, Arc<Auth>>,
    /// The server in which replicas share quotas.
    pub redis: Option<&'a Arc<Redis>>,
}

impl Parts<'_> {
    /// The index of an upstream.
    fn upstream(&self, name: &str) -> usize {
        let mut names = self.config.upstreams.keys();
        names.position(|known| known == name).unwrap_or_default()
    }
}

/// What the links of the chain know about a request, and what they add to its response.
#[derive(Debug)]
pub struct RequestContext<'a> {
    /// Name of the route.
    pub route: &'a str,
    /// Parameters of the route's path, with their values as the client sent them.
    pub params: &'a [(String, String)],
    /// Address of the client, which a trusted proxy may have supplied.
    pub client: IpAddr,
    /// Time by which the request must be completed.
    pub deadline: Instant,
    /// The authenticated user; `None` before authentication and for anonymous requests.
    pub identity: Option<Arc<Identity>>,
    /// Maximum size of the request's body, if a link sets one, in bytes.
    pub body_limit: Option<usize>,
    /// Whether the client authenticated with an API key.
    pub has_api_key: bool,
    /// Whether a service has vouched for the client without naming it.
    pub is_vouched: bool,
    /// Channels to which the request's body is sent, if it is small, once all of it has arrived.
    pub body_copies: Vec<oneshot::Sender<Bytes>>,
    /// What the `cache` link has found out about the request.
    pub cache: Option<cache::Lookup>,
    /// The encodings of the response that the client accepts; read by the `compress` link.
    pub accepted: compress::Accepted,
    /// The plugins that want to see the response, in the order in which the request has passed them.
    pub plugins: Vec<wasm::Passed>,
    /// Headers that are added to the response, whether it succeeds or fails.
    pub response_headers: HeaderMap,
}

impl<'a> RequestContext<'a> {
    /// The context at the start of the chain.
    #[must_use]
    pub fn new(client: IpAddr, deadline: Instant, route: &'a str, params: &'a [(String, String)]) -> Self {
        Self {
            route,
            params,
            client,
            deadline,
            identity: None,
            body_limit: None,
            has_api_key: false,
            is_vouched: false,
            body_copies: vec![],
            cache: None,
            accepted: compress::Accepted::default(),
            plugins: vec![],
            response_headers: HeaderMap::new(),
        }
    }

    /// Whether the client is authenticated, so that its response is meant for it alone.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.identity.is_some() || self.is_vouched
    }

    /// The client as a quota distinguishes it.
    #[must_use]
    pub fn client_by(&self, by: RateBy) -> Client {
        match by {
            RateBy::User => self.by_user(),
            RateBy::Address => self.by_address(),
        }
    }

    /// The client by its user if it is authenticated, otherwise by its address.
    #[must_use]
    pub fn by_user(&self) -> Client {
        match &self.identity {
            Some(identity) => Client::User(Arc::clone(&identity.subject)),
            None => self.by_address(),
        }
    }

    /// The client by its address (for IPv6, its /64 network), even if it is authenticated.
    #[must_use]
    pub fn by_address(&self) -> Client {
        Client::Address(network(self.client))
    }
}

/// Checks what the types of the configuration cannot express about the links of all policies.
pub(crate) fn check(config: &Config) -> Result<(), ConfigError> {
    if let Some(redis) = &config.redis {
        Redis::check(redis)?;
    }
    if let Some(rules) = &config.unmatched {
        Rate::check(config, rules)?;
    }
    for link in config.policies.values().flatten() {
        match link {
            config::Link::Auth(name) | config::Link::AuthIfGiven(name)
                if !config.auth.contains_key(&name.value) =>
            {
                let message = format!("there is no auth named `{}`", name.value);
                return Err(ConfigError::on(name, message));
            }
            config::Link::Rate(rules) => Rate::check(config, rules)?,
            config::Link::Headers(rules) => HeaderRules::check(config, rules)?,
            config::Link::Rewrite(rules) => Rewrite::check(rules)?,
            config::Link::Compress(rules) => Compress::check(rules)?,
            config::Link::Fault(rules) => Fault::check(rules)?,
            config::Link::Basic(rules) => Basic::check(rules)?,
            config::Link::ForwardAuth(rules) => ForwardAuth::check(config, rules)?,
            config::Link::Mirror(rules) => drop(config.upstream(&rules.to, Protocol::Http)?),
            config::Link::Canary(rules) => Canary::check(config, rules)?,
            config::Link::Split(rules) => Split::check(config, rules)?,
            config::Link::Wasm(rules) => Wasm::check(config, rules)?,
            _ => {}
        }
    }
    Ok(())
}

/// Checks the links of a route's policies together with the route. The policies must have been checked.
pub(crate) fn check_route(config: &Config, route: &Route) -> Result<(), ConfigError> {
    let mut is_cached = false;
    for link in config.links(route) {
        match link {
            config::Link::Rewrite(rules) => Rewrite::check_route(rules, route)?,
            config::Link::Canary(_) | config::Link::Split(_) => choose::check_route(config, route)?,
            config::Link::Cache(_) if is_cached => {
                let message = "the policies of the route contain more than one `cache`";
                return Err(ConfigError::on(&route.matches.path, message));
            }
            config::Link::Cache(_) => is_cached = true,
            link if is_cached && restricts(link) => {
                let message = "in the policies of the route, `cache` comes before a link that decides whether a client has access";
                return Err(ConfigError::on(&route.matches.path, message));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a link authenticates the client.
pub(crate) fn authenticates(link: &config::Link) -> bool {
    matches!(
        link,
        config::Link::Auth(_)
            | config::Link::AuthIfGiven(_)
            | config::Link::Basic(_)
            | config::Link::ForwardAuth(_)
    )
}

/// Whether a link decides what the client may do, so that a cache must come after it.
fn restricts(link: &config::Link) -> bool {
    let restricts = matches!(
        link,
        config::Link::Role(_)
            | config::Link::Scope(_)
            | config::Link::Ip(_)
            | config::Link::Maintenance(_)
            | config::Link::Wasm(_)
    );
    restricts || authenticates(link)
}

impl Link {
    /// Compiles a link of a policy. `None` means that it does nothing in the chain: breakers and in-flight limits apply
    /// after it, once for each upstream.
    fn compile(policy: &str, link: &config::Link, parts: Parts<'_>) -> Result<Option<Self>, ConfigError> {
        Ok(match link {
            config::Link::Anonymous
            | config::Link::Breaker(_)
            | config::Link::InFlight(_)
            | config::Link::Retry(_)
            | config::Link::Hedge(_) => None,
            config::Link::Auth(name) => parts.auths.get(&name.value).cloned().map(Self::Auth),
            config::Link::AuthIfGiven(name) => parts.auths.get(&name.value).cloned().map(Self::AuthIfGiven),
            config::Link::Role(role) => Some(Self::Role(role.clone())),
            config::Link::Scope(rule) => Some(Self::Scope(Arc::new(ScopeRule::new(rule)))),
            config::Link::Rate(rules) => Some(Self::Rate(Arc::new(Rate::new(policy, rules, parts.redis)))),
            config::Link::Cors(rules) => Some(Self::Cors(Arc::new(Cors::new(rules)))),
            config::Link::Ip(rules) => Some(Self::Ip(Arc::new(IpRule::new(rules)))),
            config::Link::Maintenance(rules) => Some(Self::Maintenance(Arc::new(Maintenance::new(rules)))),
            config::Link::Body(limit) => Some(Self::Body(limit.0)),
            config::Link::Headers(rules) => Some(Self::Headers(Arc::new(HeaderRules::new(rules)))),
            config::Link::Rewrite(rules) => Some(Self::Rewrite(Arc::new(Rewrite::new(rules)))),
            config::Link::Compress(rules) => Some(Self::Compress(Arc::new(Compress::new(rules)))),
            config::Link::Basic(rules) => Some(Self::Basic(Arc::new(Basic::new(rules)))),
            config::Link::ForwardAuth(rules) => {
                let auth = ForwardAuth::new(rules, parts.upstream(&rules.to.value));
                Some(Self::ForwardAuth(Arc::new(auth)))
            }
            config::Link::Mirror(rules) => {
                let mirror = Mirror::new(policy, rules, parts.upstream(&rules.to.value));
                Some(Self::Mirror(Arc::new(mirror)))
            }
            config::Link::Canary(rules) => {
                let canary = Canary::new(rules, parts.upstream(&rules.to.value));
                canary.map(Arc::new).map(Self::Canary)
            }
            config::Link::Split(rules) => {
                let split = Split::new(rules, |name| parts.upstream(name));
                Some(Self::Split(Arc::new(split)))
            }
            config::Link::Cache(rules) => Some(Self::Cache(Arc::new(Cache::new(policy, rules)))),
            config::Link::Fault(rules) => Some(Self::Fault(Arc::new(Fault::new(rules)))),
            config::Link::Wasm(rules) => {
                let wasm = Wasm::new(policy, parts.config, rules)?;
                Some(Self::Wasm(Arc::new(wasm)))
            }
        })
    }

    /// Whether the link has a state that depends only on its own configuration, such as used-up quotas and stored
    /// responses. A reload keeps this state if the configuration is unchanged.
    fn keeps_state(&self, parts: Parts<'_>) -> bool {
        match self {
            Self::Rate(rate) => rate.is_counted_in(parts.redis),
            Self::Cache(_) | Self::Basic(_) => true,
            Self::Wasm(wasm) => wasm.is_for(parts.config),
            _ => false,
        }
    }

    /// Applies the link to a request. A link may answer the request itself; an error rejects it.
    pub async fn on_request(
        &self,
        pools: &Pools,
        context: &mut RequestContext<'_>,
        request: &mut request::Parts,
    ) -> Result<Option<Response<ResponseBody>>, Problem> {
        match self {
            Self::Auth(auth) => auth.pass(pools, context, &mut request.headers, true).await?,
            Self::AuthIfGiven(auth) => auth.pass(pools, context, &mut request.headers, false).await?,
            Self::Role(role) => match &context.identity {
                Some(identity) if identity.roles.iter().any(|own| own == role) => {}
                Some(_) => {
                    return Err(Problem::forbidden(
                        "your account does not have the role that this requires",
                    ));
                }
                None => return Err(Problem::unauthorized("a token is required")),
            },
            Self::Scope(rule) => rule.pass(context, &request.method)?,
            Self::Rate(rate) => rate.pass(context).await?,
            Self::Cors(origins) => origins.pass(context, &request.headers),
            Self::Ip(rule) => rule.pass(context)?,
            Self::Maintenance(maintenance) => maintenance.pass(context)?,
            Self::Body(limit) => context.body_limit = Some(*limit),
            Self::Headers(rules) => rules.change_request(&mut request.headers),
            Self::Rewrite(rewrite) => rewrite.pass(context, &mut request.uri)?,
            Self::Compress(_) => context.accepted = compress::Accepted::of(request),
            Self::Mirror(mirror) => mirror.pass(pools, context, request),
            Self::Canary(canary) => canary.pass(context, request),
            Self::Split(split) => split.pass(context, request),
            Self::Basic(basic) => Box::pin(basic.pass(context, &mut request.headers)).await?,
            Self::ForwardAuth(auth) => return Box::pin(auth.pass(pools, context, request)).await,
            Self::Cache(cache) => return Box::pin(cache.pass(context, request)).await,
            Self::Fault(fault) => Box::pin(fault.pass(context)).await?,
            Self::Wasm(wasm) => return Box::pin(wasm.pass(context, request)).await,
        }
        Ok(None)
    }

    /// Applies the link to the response. The links of a chain see it in reverse order, beginning with the last one that
    /// the request has passed. An error takes the place of the response.
    pub async fn on_response(
        &self,
        context: &mut RequestContext<'_>,
        mut response: Response<ResponseBody>,
    ) -> Result<Response<ResponseBody>, Problem> {
        Ok(match self {
            Self::Headers(rules) => {
                rules.change_response(response.headers_mut());
                response
            }
            Self::Compress(compress) => compress.apply(context.accepted, response),
            Self::Cache(cache) => Box::pin(cache.keep(context, response)).await,
            Self::Wasm(_) => Box::pin(wasm::change_response(context, response)).await?,
            _ => response,
        })
    }
}
