//! Accepts or rejects requests by the client's address.

use ipnet::IpNet;

use super::RequestContext;
use crate::{config, message::Problem};

/// The networks from which a policy accepts requests.
#[derive(Debug)]
pub struct IpRule {
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
}

impl IpRule {
    /// Creates the rule from the configuration.
    #[must_use]
    pub fn new(config: &config::IpRule) -> Self {
        Self {
            allow: config.allow.clone(),
            deny: config.deny.clone(),
        }
    }

    /// Rejects a request (403) from a network that is denied or not allowed.
    pub fn pass(&self, context: &RequestContext<'_>) -> Result<(), Problem> {
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&context.client));
        if !is_in(&self.deny) && (self.allow.is_empty() || is_in(&self.allow)) {
            Ok(())
        } else {
            Err(Problem::forbidden("requests from your address are not allowed"))
        }
    }
}
