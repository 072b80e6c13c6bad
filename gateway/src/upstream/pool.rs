//! The HTTP/1.1 connection pool of one core for one upstream. A connection is leased to a request and returns to the
//! pool when the response has ended. A connection that breaks while it is leased is closed.
//!
//! The legacy client of hyper-util has such a pool, but drops the request if it cannot connect. So it could not send the
//! request to another instance, and it would not report the requests that it resends.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::{Request, Response};
use hyper::body::Incoming;

use super::{
    Choice, Cluster, InFlight, Instance,
    connect::{ConnectError, Sender, connect},
    http2::{self, Place},
    is_gateway_error, is_shed,
};
use crate::{
    message::{self, RequestBody},
    metrics::RETRIES,
};

/// How long an idle connection is kept: less than the 10 s after which services close idle connections.
const IDLE_TIMEOUT: Duration = Duration::from_secs(8);
/// Maximum number of idle connections to one instance.
const MAX_IDLE: usize = 256;
/// Number of pooled connections that may turn out to be closed before a request uses a new one.
const MAX_STALE: usize = 3;

/// The connections of one core to one upstream.
#[derive(Debug)]
pub struct Pool {
    /// The upstream that the connections lead to.
    pub cluster: Arc<Cluster>,
    connect: Duration,
    idle: Mutex<HashMap<SocketAddr, Vec<(Instant, Sender)>>>,
    /// Used for gRPC calls that are passed through.
    http2: http2::Connections,
}

/// Why a request to an upstream has no response.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Service discovery has found no instance.
    #[error("no instance is known")]
    NoInstance,
    /// No instance accepted a connection; nothing was sent.
    #[error(transparent)]
    Connect(ConnectError),
    /// The connection broke after the request, or a part of it, was sent.
    #[error("the connection broke: {0}")]
    Broken(#[source] hyper::Error),
}

/// A connection in use by one request. Dropping it closes the connection.
#[derive(Debug)]
pub struct Lease {
    pool: Arc<Pool>,
    instance: InFlight,
    sender: Sender,
}

impl message::Lease for Lease {
    fn body_ended(self: Box<Self>) {
        self.return_to_pool();
    }
}

impl Lease {
    /// Returns the connection to the pool, unless it is closed or the pool has enough idle connections.
    pub fn return_to_pool(self) {
        let Self {
            pool,
            instance,
            sender,
        } = self;
        if sender.is_closed() {
            return;
        }
        let mut idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.entry(instance.address).or_default();
        if kept.len() < MAX_IDLE {
            kept.push((Instant::now(), sender));
        }
    }
}

impl Pool {
    /// An empty pool; connecting to an instance times out after `connect`.
    #[must_use]
    pub fn new(cluster: Arc<Cluster>, connect: Duration) -> Self {
        // Create the series now, so that it is exposed as 0.
        RETRIES.of([("upstream", &cluster.name)]);
        Self {
            cluster,
            connect,
            idle: Mutex::default(),
            http2: http2::Connections::default(),
        }
    }

    /// Whether this is the pool of this upstream, with this timeout.
    #[must_use]
    pub fn is_for(&self, cluster: &Arc<Cluster>, connect: Duration) -> bool {
        Arc::ptr_eq(&self.cluster, cluster) && self.connect == connect
    }

    /// Timeout for connecting to an instance.
    pub(super) fn connect_timeout(&self) -> Duration {
        self.connect
    }

    /// Sends a request and waits for the head of its response. A request that was certainly not sent yet is
    /// sent again on another connection, possibly to another instance. `choice` says afterwards which instance it was.
    pub async fn send(
        self: &Arc<Self>,
        mut request: Request<RequestBody>,
        choice: &Choice,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        let mut stale = 0;
        loop {
            let mut lease = self.lease(stale < MAX_STALE, choice).await?;
            let started = Instant::now();
            choice.sent_to(&lease.instance, started);
            match lease.sender.try_send_request(request).await {
                Ok(response) => {
                    self.record(&lease.instance, &response, started.elapsed());
                    return Ok((response, lease));
                }
                Err(mut error) => match error.take_message() {
                    // The instance had already closed the connection, so the request was not sent.
                    Some(unsent) if stale <= MAX_STALE => {
                        stale += 1;
                        RETRIES.of([("upstream", &self.cluster.name)]).inc();
                        request = unsent;
                    }
                    _ => {
                        let error = error.into_error();
                        // If the client's body failed, the instance is not at fault.
                        if !error.is_user() {
                            self.cluster
                                .record_failure(&lease.instance, &error, started.elapsed(), true);
                        }
                        return Err(SendError::Broken(error));
                    }
                },
            }
        }
    }

    /// Records the outcome of a request for its instance.
    fn record(&self, instance: &Instance, response: &Response<Incoming>, took: Duration) {
        let status = response.status();
        if !status.is_server_error() {
            self.cluster.record_success(instance, took);
        } else if is_shed(status, response.headers()) {
            instance.record_shed(took);
        } else {
            self.cluster
                .record_failure(instance, &status, took, is_gateway_error(status));
        }
    }

    /// Leases a connection to the best instance that accepts one. Idle connections are used only if `reuse` is set.
    async fn lease(self: &Arc<Self>, reuse: bool, choice: &Choice) -> Result<Lease, SendError> {
        let mut last = SendError::NoInstance;
        while let Some(instance) = self.cluster.choose(choice).await {
            let idle = reuse.then(|| self.idle_connection(instance.address)).flatten();
            let (started, address) = (Instant::now(), instance.address);
            // It is in flight from now on, so that concurrent requests choose others while it connects.
            let instance = instance.begin();
            let sender = match idle {
                Some(sender) => Ok(sender),
                None => connect(address, self.cluster.tls.as_ref(), self.connect).await,
            };
            match sender {
                Ok(sender) => {
                    instance.count_request();
                    return Ok(Lease {
                        pool: self.clone(),
                        instance,
                        sender,
                    });
                }
                Err(error) => {
                    self.cluster
                        .record_failure(&instance, &error, started.elapsed(), true);
                    choice.exclude(&instance);
                    last = SendError::Connect(error);
                }
            }
        }
        self.cluster.mark_unreachable();
        Err(last)
    }

    /// A place on an HTTP/2 connection to the best instance that accepts one. Open connections are used only if `reuse` is
    /// set.
    pub(super) async fn place(&self, reuse: bool, choice: &Choice) -> Result<(InFlight, Place), SendError> {
        let mut last = SendError::NoInstance;
        while let Some(instance) = self.cluster.choose(choice).await {
            let (started, address) = (Instant::now(), instance.address);
            let instance = instance.begin();
            let is_known = |address| self.cluster.instances().iter().any(|one| one.address == address);
            let connector = (self.cluster.tls.as_ref(), self.connect);
            match self.http2.place(address, reuse, connector, is_known).await {
                Ok(place) => {
                    instance.count_request();
                    return Ok((instance, place));
                }
                Err(error) => {
                    self.cluster
                        .record_failure(&instance, &error, started.elapsed(), true);
                    choice.exclude(&instance);
                    last = SendError::Connect(error);
                }
            }
        }
        self.cluster.mark_unreachable();
        Err(last)
    }

    fn idle_connection(&self, address: SocketAddr) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(&address)?;
        // Use the newest one first, so that surplus connections can reach their idle timeout.
        while let Some((since, sender)) = kept.pop() {
            if since.elapsed() > IDLE_TIMEOUT {
                kept.clear();
            } else if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }
}
