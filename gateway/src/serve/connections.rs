//! Limits the connections per address, so that one client cannot use up all of them. Many people may share an address,
//! so the limit is generous. Trusted proxies are not limited, because they forward the requests of all clients.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::message::network;

/// Counts the open connections of each address.
#[derive(Debug)]
pub(crate) struct Connections {
    limit: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// Permission for one connection. Dropping it releases the connection's share of the limit.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    connections: Arc<Connections>,
    network: IpAddr,
}

impl Connections {
    /// A counter without connections; each address may have `limit` of them.
    #[must_use]
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            open: Mutex::default(),
        })
    }

    /// Counts a connection from `address` (for IPv6, from its /64 network). `None` if the address has reached the
    /// limit.
    #[must_use]
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionPermit> {
        let network = network(address.to_canonical());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(ConnectionPermit {
            connections: Arc::clone(self),
            network,
        })
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let open = &self.connections.open;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_per_network() {
        let connections = Connections::new(2);
        let admit = |address: &str| connections.admit(address.parse().unwrap());
        let first = admit("192.0.2.1").unwrap();
        let _second = admit("::ffff:192.0.2.1").unwrap();
        assert!(admit("192.0.2.1").is_none());
        let _other = admit("192.0.2.2").unwrap();
        let _v6 = [admit("2001:db8::1").unwrap(), admit("2001:db8::2").unwrap()];
        assert!(
            admit("2001:db8::3").is_none(),
            "an IPv6 /64 network counts as one client"
        );
        assert!(admit("2001:db8:0:1::1").is_some());
        drop(first);
        assert!(admit("192.0.2.1").is_some());
        assert_eq!(
            connections.open.lock().unwrap().len(),
            3,
            "networks without connections are removed"
        );
    }
}
