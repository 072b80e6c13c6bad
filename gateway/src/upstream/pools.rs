//! The connections of one core to all upstreams.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use telemetry::grpc::Traced;
use tonic::transport::{Channel, Endpoint};

use super::{Cluster, Pool};

/// A connection pool and the gRPC channels of each upstream, in the order of the upstreams.
#[derive(Debug)]
pub struct Pools {
    pools: Vec<Arc<Pool>>,
    channels: Vec<Arc<Channels>>,
}

/// The gRPC channels of one upstream: one for each instance, so that calls are distributed like other requests.
type Channels = Mutex<HashMap<SocketAddr, Traced<Channel>>>;

impl Pools {
    /// Creates the pools, and takes over those of `previous` whose upstream is still the same. Must be called on the
    /// runtime of the core, which then drives the connections.
    #[must_use]
    pub fn new(clusters: &[Arc<Cluster>], connect: Duration, previous: Option<&Self>) -> Self {
        let (mut pools, mut channels) = (vec![], vec![]);
        for cluster in clusters {
            let known = previous.and_then(|previous| {
                let at = previous
                    .pools
                    .iter()
                    .position(|pool| pool.is_for(cluster, connect))?;
                Some((
                    Arc::clone(&previous.pools[at]),
                    Arc::clone(&previous.channels[at]),
                ))
            });
            let new = || (Arc::new(Pool::new(Arc::clone(cluster), connect)), Arc::default());
            let (pool, own) = known.unwrap_or_else(new);
            pools.push(pool);
            channels.push(own);
        }
        Self { pools, channels }
    }

    /// The pool of an upstream.
    #[must_use]
    pub fn pool(&self, upstream: usize) -> &Arc<Pool> {
        &self.pools[upstream]
    }

    /// The channel to an instance of a gRPC upstream. It connects with the first call.
    pub fn channel(
        &self,
        upstream: usize,
        address: SocketAddr,
    ) -> Result<Traced<Channel>, tonic::transport::Error> {
        let pool = &self.pools[upstream];
        let mut channels = self.channels[upstream]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = channels.get(&address) {
            return Ok(known.clone());
        }
        // A new instance often replaces another one, so channels to instances that no longer exist are removed now.
        let instances = pool.cluster.instances();
        channels.retain(|address, _| instances.iter().any(|one| one.address == *address));
        let mut endpoint = Endpoint::from_shared(format!("{}://{address}", pool.cluster.scheme()))?
            .connect_timeout(pool.connect_timeout());
        if let Some(origin) = pool.cluster.origin() {
            endpoint = endpoint.origin(origin);
        }
        let channel = match &pool.cluster.tls {
            Some(tls) => endpoint.connect_with_connector_lazy(tls.clone()),
            None => endpoint.connect_lazy(),
        };
        let channel = telemetry::grpc::client(channel);
        channels.insert(address, channel.clone());
        Ok(channel)
    }
}
