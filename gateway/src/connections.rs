//! How many connections each address has, over all cores, so that one machine cannot take them all. Many people may share
//! an address, so the limit is generous; peers that are trusted proxies have none, since they speak for everybody.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::chain::rate::network;

/// The connections that are open.
#[derive(Debug)]
pub struct Connections {
    limit: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's share of the limit, until it is dropped.
#[derive(Debug)]
pub struct Admitted {
    connections: Arc<Connections>,
    network: IpAddr,
}

impl Connections {
    /// None is open yet.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            open: Mutex::default(),
        })
    }

    /// Counts a connection from `address` (IPv6: from its /64), unless there are enough from there already.
    #[must_use]
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Admitted> {
        let network = network(address.to_canonical());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Admitted {
            connections: Arc::clone(self),
            network,
        })
    }
}

impl Drop for Admitted {
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
    fn each_network_has_its_own_count() {
        let connections = Connections::new(2);
        let admit = |address: &str| connections.admit(address.parse().unwrap());
        let first = admit("192.0.2.1").unwrap();
        let _second = admit("::ffff:192.0.2.1").unwrap();
        assert!(admit("192.0.2.1").is_none());
        let _other = admit("192.0.2.2").unwrap();
        let _v6 = [admit("2001:db8::1").unwrap(), admit("2001:db8::2").unwrap()];
        assert!(admit("2001:db8::3").is_none(), "a /64 is one client");
        assert!(admit("2001:db8:0:1::1").is_some());
        drop(first);
        assert!(admit("192.0.2.1").is_some());
        assert_eq!(
            connections.open.lock().unwrap().len(),
            3,
            "what is 0 is forgotten"
        );
    }
}
