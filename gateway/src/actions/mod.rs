//! How the response of a route is produced: by forwarding the request, by joining several responses, by a gRPC call, from
//! a file, or by the gateway itself.

pub(crate) mod aggregate;
mod browser_spans;
mod files;
mod forward;
pub(crate) mod grpc;
mod pass_through;
mod redirect;
pub mod template;
mod websocket;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

pub(crate) use aggregate::{Plan, stages};
pub(crate) use browser_spans::BrowserSpans;
pub(crate) use files::Files;
pub(crate) use forward::Forward;
pub(crate) use pass_through::PassThrough;
pub(crate) use redirect::Redirect;
pub(crate) use template::{Scope, Template};
pub(crate) use websocket::Handshake;

use crate::{
    config::{self, Local},
    upstream::Target,
};

/// The action of a route, compiled from the configuration.
#[derive(Debug)]
pub(crate) enum Action {
    Forward(Forward),
    BrowserSpans(BrowserSpans),
    Grpc(grpc::Call),
    PassThrough(PassThrough),
    Aggregate(Plan),
    Files(Files),
    Redirect(Redirect),
    Local(Local),
}

impl Action {
    /// Compiles the action of a route of `config`. `others` are upstreams that its links may choose, `target` resolves the name of an
    /// upstream, and `draining` ends streams.
    pub(crate) fn new(
        config: &config::Config,
        route: &config::Route,
        others: &[&str],
        target: &mut impl FnMut(&str) -> Target,
        draining: &CancellationToken,
    ) -> anyhow::Result<Self> {
        if let Some(aggregate) = &route.aggregate {
            return Ok(Self::Aggregate(Plan::new(aggregate, target)?));
        }
        if let Some(files) = &route.files {
            return Ok(Self::Files(Files::new(files)?));
        }
        if let Some(redirect) = &route.redirect {
            return Ok(Self::Redirect(
                Redirect::new(redirect).map_err(anyhow::Error::msg)?,
            ));
        }
        if let Some(local) = route.local {
            return Ok(Self::Local(local));
        }
        let to = target(&route.to.as_ref().context("the route has no action")?.value);
        if let Some(grpc) = &route.grpc {
            let is_read = route.matches.methods.iter().all(|method| method == "GET");
            return Ok(Self::Grpc(grpc::Call::new(grpc, to, is_read)?));
        }
        let others = others.iter().map(|name| target(name)).collect();
        if config.passes_grpc(route) {
            let pass = PassThrough::new(route, to, others, draining.clone());
            return Ok(Self::PassThrough(pass));
        }
        let forward = Forward::new(route, to, others, draining.clone());
        Ok(match &route.browser_spans {
            Some(spans) => Self::BrowserSpans(BrowserSpans::new(spans, forward)),
            None => Self::Forward(forward),
        })
    }
}
