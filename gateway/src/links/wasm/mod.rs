//! Runs plugins: WebAssembly modules that see a request and its response, may change their header fields, and may respond
//! themselves. A plugin reaches nothing outside its memory but the log. `docs/gateway.md` describes its interface.
//!
//! Each call gets a new instance, so nothing is kept from one request to another. An instance runs in slices between which
//! the core serves other requests, and only some run at the same time. A call that fails is answered with 500.

mod call;
mod message;
mod module;

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use http::{HeaderName, Response, request::Parts};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use self::{
    call::{Call, Failure},
    message::{Fields, RequestMessage, RequestReply, ResponseMessage, ResponseReply},
    module::{Hook, Plugin},
};
use super::RequestContext;
use crate::{
    config::{self, Config, ConfigError},
    message::{Problem, ResponseBody},
    metrics::{PLUGIN_FAILURES, PLUGIN_REFUSED},
};

/// Time between two reads of the file.
const READ_INTERVAL: Duration = Duration::from_secs(1);
/// Number of calls of a plugin that run at the same time; others wait. It bounds the memory of a plugin, and the share of
/// a core that it gets beside other requests.
const MAX_RUNNING: usize = 8;

/// A `wasm` link: a plugin with its limits and its configuration.
#[derive(Debug)]
pub struct Wasm {
    /// Name of the policy, for logs and metrics.
    policy: String,
    file: PathBuf,
    limits: Limits,
    /// The `config` of the link as JSON.
    config: Box<RawValue>,
    /// Header fields that the gateway sets from tokens, which a plugin cannot change.
    claims: Vec<HeaderName>,
    current: ArcSwap<Plugin>,
    running: Semaphore,
}

/// What a call may use.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Instructions, as the interpreter counts them.
    fuel: u64,
    /// Maximum size of the memory of a plugin, in bytes.
    memory: usize,
}

/// A plugin that has let a request pass and wants to see the response.
#[derive(Debug)]
pub struct Passed {
    link: Arc<Wasm>,
    /// The version of the plugin that has seen the request.
    plugin: Arc<Plugin>,
    /// What the plugin keeps for the response.
    state: Option<String>,
}

impl Wasm {
    /// Checks that the file is a plugin that can be started within its limits.
    pub(crate) fn check(config: &Config, rules: &config::Wasm) -> Result<(), ConfigError> {
        if rules.fuel.value == 0 {
            return Err(ConfigError::on(&rules.fuel, "a plugin needs some fuel"));
        }
        load(config, rules).map(drop)
    }

    /// Creates the link from a checked configuration; `policy` is the name of its policy. Fails if the file is no longer a
    /// plugin.
    pub(crate) fn new(policy: &str, config: &Config, rules: &config::Wasm) -> Result<Self, ConfigError> {
        let plugin = load(config, rules)?;
        let values = serde_json::value::to_raw_value(&rules.config);
        let values = values.map_err(|error| ConfigError::on(&rules.file, error.to_string()))?;
        // Create the series now, so that they are exposed as 0.
        for reason in Failure::REASONS {
            PLUGIN_FAILURES.of([("policy", policy), ("reason", reason)]);
        }
        PLUGIN_REFUSED.of([("policy", policy)]).set(0.0);
        Ok(Self {
            policy: policy.to_owned(),
            file: config.folder.join(&rules.file.value),
            limits: Limits::of(rules),
            config: values,
            claims: claims(config),
            current: ArcSwap::from_pointee(plugin),
            running: Semaphore::new(MAX_RUNNING),
        })
    }

    /// Whether this link can be kept for a configuration that contains the same link.
    pub(super) fn is_for(&self, config: &Config) -> bool {
        self.file.starts_with(&config.folder) && self.claims == claims(config)
    }

    /// Follows the file for as long as this is polled. An invalid file is logged, and the previous plugin stays in use.
    pub(crate) async fn follow(&self) {
        let mut digest = self.current.load().digest;
        let refused = PLUGIN_REFUSED.of([("policy", &self.policy)]);
        loop {
            tokio::time::sleep(READ_INTERVAL).await;
            let bytes = match tokio::fs::read(&self.file).await {
                // A file that is being replaced may be missing or empty for a moment.
                Ok(bytes) if !bytes.is_empty() && digest != Sha256::digest(&bytes)[..] => bytes,
                _ => continue,
            };
            digest = Sha256::digest(&bytes).into();
            let limits = self.limits;
            let loaded = tokio::task::spawn_blocking(move || Plugin::load(&bytes, limits)).await;
            let (policy, file) = (&self.policy, self.file.display());
            match loaded.map_err(anyhow::Error::from).flatten() {
                Ok(plugin) => {
                    self.current.store(Arc::new(plugin));
                    refused.set(0.0);
                    tracing::info!(policy, %file, "the plugin was replaced");
                }
                Err(error) => {
                    refused.set(1.0);
                    let error = format!("{error:#}");
                    tracing::error!(policy, %file, error, "the plugin was refused; the current one stays in use");
                }
            }
        }
    }

    /// Shows the request to the plugin, which may change it or respond.
    pub async fn pass(
        self: &Arc<Self>,
        context: &mut RequestContext<'_>,
        request: &mut Parts,
    ) -> Result<Option<Response<ResponseBody>>, Problem> {
        let plugin = self.current.load_full();
        let mut state = None;
        if plugin.has(Hook::Request) {
            let identity = context.identity.as_deref();
            let message = RequestMessage {
                route: context.route,
                method: request.method.as_str(),
                path: request.uri.path(),
                query: request.uri.query(),
                client: context.client,
                user: identity.map(|identity| &*identity.subject),
                roles: identity.map_or(&[], |identity| &identity.roles),
                headers: Fields(&request.headers),
                config: &self.config,
            };
            let reply: RequestReply = self.call(context, &plugin, Hook::Request, &message).await?;
            let changed = message::change(&mut request.headers, &reply.remove, &reply.set, &self.claims);
            changed.map_err(|error| self.failed(context, &error))?;
            if let Some(local) = reply.respond {
                let response = local.into_response(&self.claims);
                return response.map(Some).map_err(|error| self.failed(context, &error));
            }
            state = reply.state;
        }
        // Added even if the plugin has no hook for the response, because each link of the chain removes the last entry.
        context.plugins.push(Passed {
            link: Arc::clone(self),
            plugin,
            state,
        });
        Ok(None)
    }

    /// Calls a hook of the plugin, once few enough other calls are running.
    async fn call<M: Serialize, R: DeserializeOwned + Default>(
        &self,
        context: &RequestContext<'_>,
        plugin: &Plugin,
        hook: Hook,
        message: &M,
    ) -> Result<R, Problem> {
        let permit = tokio::time::timeout_at(context.deadline.into(), self.running.acquire());
        let Ok(Ok(_permit)) = permit.await else {
            return Err(Problem::too_busy());
        };
        let run = async {
            let message = serde_json::to_vec(message).map_err(Failure::reply)?;
            let reply = Call::start(plugin, self.limits, &self.policy)?
                .run(hook, &message)
                .await?;
            if reply.is_empty() {
                return Ok(R::default());
            }
            serde_json::from_slice(&reply).map_err(Failure::reply)
        };
        run.await.map_err(|failure| self.failed(context, &failure))
    }

    /// Logs and counts a failure, and returns what the client gets.
    fn failed(&self, context: &RequestContext<'_>, failure: &Failure) -> Problem {
        let (policy, route, reason) = (&self.policy, context.route, failure.reason());
        PLUGIN_FAILURES.of([("policy", policy), ("reason", reason)]).inc();
        let error = failure.to_string();
        tracing::error!(
            policy,
            route,
            reason,
            error,
            "a plugin failed; the client gets 500"
        );
        Problem::internal("a plugin of this route has failed")
    }
}

/// Shows the response to the plugin that the request has passed last, and removes the plugin from the list.
pub(super) async fn change_response(
    context: &mut RequestContext<'_>,
    mut response: Response<ResponseBody>,
) -> Result<Response<ResponseBody>, Problem> {
    let Some(Passed { link, plugin, state }) = context.plugins.pop() else {
        return Ok(response);
    };
    if plugin.has(Hook::Response) {
        let message = ResponseMessage {
            status: response.status().as_u16(),
            headers: Fields(response.headers()),
            state: state.as_deref(),
            config: &link.config,
        };
        let reply: ResponseReply = link.call(context, &plugin, Hook::Response, &message).await?;
        let changed = message::change(response.headers_mut(), &reply.remove, &reply.set, &link.claims);
        changed.map_err(|error| link.failed(context, &error))?;
    }
    Ok(response)
}

impl Limits {
    fn of(rules: &config::Wasm) -> Self {
        Self {
            fuel: rules.fuel.value,
            memory: rules.memory.0,
        }
    }
}

/// Reads the plugin of a link.
fn load(config: &Config, rules: &config::Wasm) -> Result<Plugin, ConfigError> {
    let file = config.folder.join(&rules.file.value);
    let read = std::fs::read(&file).map_err(anyhow::Error::from);
    let plugin = read.and_then(|bytes| Plugin::load(&bytes, Limits::of(rules)));
    plugin.map_err(|error| {
        let message = format!("the plugin `{}` cannot be used: {error:#}", file.display());
        ConfigError::on(&rules.file, message)
    })
}

/// The header fields that are set from tokens.
fn claims(config: &Config) -> Vec<HeaderName> {
    let names = config.auth.values().flat_map(|auth| auth.headers.keys());
    names.filter_map(|name| name.parse().ok()).collect()
}
