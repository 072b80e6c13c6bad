//! Clients as quotas and queues distinguish them.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

/// A client: an authenticated user, or otherwise an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Client {
    /// The user id, from the token's `sub`.
    User(Arc<str>),
    /// The client's address; for IPv6, its /64 network.
    Address(IpAddr),
}

/// The network that counts as one client: the address itself for IPv4, and the /64 network for IPv6, because a customer
/// usually has a whole /64.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let net = |text: &str| network(text.parse().unwrap());
        assert_eq!(net("2001:db8::1"), net("2001:db8::ffff:1"));
        assert_ne!(net("2001:db8::1"), net("2001:db8:0:1::1"));
        assert_ne!(net("10.0.0.1"), net("10.0.0.2"));
    }
}
