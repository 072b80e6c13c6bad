//! One core's HTTP/1.1 connections to one upstream. A connection is leased to a request and comes back when the answer
//! has ended; one that breaks while it is leased is never used again.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::{Request, Response};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Cluster, InFlight, Instance, is_shed};
use crate::{body::RequestBody, metrics::RETRIES};

/// Kept shorter than the 10 s after which the services close idle connections.
const IDLE: Duration = Duration::from_secs(8);
/// Idle connections to an instance.
const KEPT: usize = 256;
/// Tries on kept connections that turn out to be closed, before a new one is made.
const STALE: usize = 3;

/// The connections.
#[derive(Debug)]
pub struct Pool {
    /// To whom.
    pub cluster: Arc<Cluster>,
    connect: Duration,
    idle: Mutex<HashMap<SocketAddr, Vec<(Instant, Sender)>>>,
}

type Sender = http1::SendRequest<RequestBody>;

/// A request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No instance is known.
    #[error("no instance is known")]
    Nowhere,
    /// No instance took the connection; nothing was sent.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// The connection broke after the request was sent.
    #[error("the connection broke: {0}")]
    Broken(#[source] hyper::Error),
}

/// A connection in use.
#[derive(Debug)]
pub struct Lease {
    pool: Arc<Pool>,
    instance: InFlight,
    sender: Sender,
}

impl Lease {
    /// Back into the pool.
    pub fn give_back(self) {
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
        if kept.len() < KEPT {
            kept.push((Instant::now(), sender));
        }
    }
}

impl Pool {
    /// An empty pool; a connection may take `connect` to be made.
    #[must_use]
    pub fn new(cluster: Arc<Cluster>, connect: Duration) -> Self {
        // Shown from the beginning, as 0.
        RETRIES.of([("upstream", &cluster.name)]);
        Self {
            cluster,
            connect,
            idle: Mutex::default(),
        }
    }

    /// Sends a request. What was certainly not sent is sent again: on another connection, to another instance.
    pub async fn send(
        self: &Arc<Self>,
        mut request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        let mut stale = 0;
        loop {
            let mut lease = self.lease(stale < STALE).await?;
            match lease.sender.try_send_request(request).await {
                Ok(response) => {
                    if response.status().is_server_error() && !is_shed(response.status(), response.headers())
                    {
                        lease.instance.failed(&response.status());
                    }
                    return Ok((response, lease));
                }
                Err(mut error) => match error.take_message() {
                    // The instance had closed the connection, and the request has not left.
                    Some(unsent) if stale <= STALE => {
                        stale += 1;
                        RETRIES.of([("upstream", &self.cluster.name)]).inc();
                        request = unsent;
                    }
                    _ => {
                        let error = error.into_error();
                        // A client's body that broke off, or was too large, is no fault of the instance.
                        if !error.is_user() {
                            lease.instance.failed(&error);
                        }
                        return Err(SendError::Broken(error));
                    }
                },
            }
        }
    }

    async fn lease(self: &Arc<Self>, kept: bool) -> Result<Lease, SendError> {
        let mut last = SendError::Nowhere;
        let mut instances = self.cluster.in_turn();
        if instances.is_empty() {
            self.cluster.resolve().await;
            instances = self.cluster.in_turn();
        }
        let lease = |instance: &Arc<Instance>, sender| Lease {
            pool: self.clone(),
            instance: instance.begin(),
            sender,
        };
        for instance in instances {
            if kept && let Some(sender) = self.kept(instance.address) {
                return Ok(lease(&instance, sender));
            }
            match self.connect(instance.address).await {
                Ok(sender) => return Ok(lease(&instance, sender)),
                Err(error) => {
                    instance.failed(&error);
                    last = SendError::Connect(error);
                }
            }
        }
        self.cluster.lost();
        Err(last)
    }

    fn kept(&self, address: SocketAddr) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(&address)?;
        // The youngest first: the others may grow old and go.
        while let Some((since, sender)) = kept.pop() {
            if since.elapsed() > IDLE {
                kept.clear();
            } else if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Sender> {
        let stream = tokio::time::timeout(self.connect, TcpStream::connect(address))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::Builder::new()
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(async move {
            // The request that used it is told; here nobody is left to tell.
            let _ = connection.await;
        });
        Ok(sender)
    }
}
