//! Rejects requests while the service is being maintained.

use std::time::Duration;

use ipnet::IpNet;

use super::RequestContext;
use crate::{config, message::Problem};

/// The maintenance mode of a service, in which only some networks have access.
#[derive(Debug)]
pub struct Maintenance {
    retry_after: Duration,
    allow: Vec<IpNet>,
}

impl Maintenance {
    /// Creates the link from the configuration.
    #[must_use]
    pub fn new(config: &config::Maintenance) -> Self {
        Self {
            retry_after: config.retry_after.0,
            allow: config.allow.clone(),
        }
    }

    /// Rejects a request with 503, unless it comes from an allowed network.
    pub fn pass(&self, context: &RequestContext<'_>) -> Result<(), Problem> {
        if self.allow.iter().any(|network| network.contains(&context.client)) {
            Ok(())
        } else {
            Err(Problem::maintenance(self.retry_after))
        }
    }
}
