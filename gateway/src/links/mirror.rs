//! Sends a copy of a part of the requests to another upstream, and discards the answers. The client never waits for the
//! copy: its body is copied while it is forwarded, and a copy that does not fit is not sent.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http::{Request, Uri, header, request::Parts};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tracing::Instrument as _;

use super::RequestContext;
use crate::{
    config::{self, Portion},
    message::{RequestBody, headers::API_KEY},
    metrics::MIRRORED,
    upstream::{self, Pool, Pools},
};

/// Maximum number of copies of one link that are in flight at the same time.
const MAX_IN_FLIGHT: usize = 64;

/// The upstream that gets the copies.
#[derive(Debug)]
pub struct Mirror {
    name: String,
    upstream: usize,
    share: Portion,
    permits: Arc<Semaphore>,
}

impl Mirror {
    /// Creates the link; `name` is that of the policy, for metrics, and `upstream` the index of the upstream.
    #[must_use]
    pub fn new(name: &str, rules: &config::Mirror, upstream: usize) -> Self {
        // Create the series now, so that they are exposed as 0.
        for result in ["sent", "failed", "dropped"] {
            MIRRORED.of([("mirror", name), ("result", result)]);
        }
        Self {
            name: name.to_owned(),
            upstream,
            share: rules.share,
            permits: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
        }
    }

    /// Prepares a copy of the request as it is now. It is sent once the request has passed the chain and its body, if it
    /// has one, has arrived.
    pub fn pass(&self, pools: &Pools, context: &mut RequestContext<'_>, request: &Parts) {
        if !self.share.contains(rand::random()) || request.headers.contains_key(header::SEC_WEBSOCKET_KEY) {
            return;
        }
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            MIRRORED.of([("mirror", &self.name), ("result", "dropped")]).inc();
            return;
        };
        let mut copy = Request::new(RequestBody::empty());
        *copy.method_mut() = request.method.clone();
        *copy.uri_mut() = request
            .uri
            .path_and_query()
            .cloned()
            .map_or_else(Uri::default, Uri::from);
        copy.headers_mut().clone_from(&request.headers);
        for name in [header::EXPECT, API_KEY] {
            copy.headers_mut().remove(name);
        }
        let (sender, body) = oneshot::channel();
        context.body_copies.push(sender);
        let copy = Copy {
            request: copy,
            name: self.name.clone(),
            pool: Arc::clone(pools.pool(self.upstream)),
            deadline: context.deadline,
            _permit: permit,
        };
        tokio::spawn(copy.send(body).in_current_span());
    }
}

/// A copy of a request, whose body is still on its way.
struct Copy {
    request: Request<RequestBody>,
    name: String,
    pool: Arc<Pool>,
    deadline: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Copy {
    async fn send(mut self, body: oneshot::Receiver<Bytes>) {
        let body = tokio::time::timeout_at(self.deadline.into(), body).await;
        // No body means that the request was refused, that its body is too large, or that it never arrived.
        let result = match body {
            Ok(Ok(body)) => {
                *self.request.body_mut() = RequestBody::Full((!body.is_empty()).then_some(body));
                match upstream::collect(&self.pool, None, self.request, self.deadline).await {
                    Ok(_) => "sent",
                    Err(_) => "failed",
                }
            }
            _ => "dropped",
        };
        MIRRORED.of([("mirror", &self.name), ("result", result)]).inc();
    }
}
