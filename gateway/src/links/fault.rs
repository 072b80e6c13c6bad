//! Delays or fails a random part of the requests, to test how clients and other services handle failures.

use std::time::{Duration, Instant};

use http::StatusCode;

use super::RequestContext;
use crate::{
    config::{self, ConfigError, Portion},
    message::Problem,
};

/// The faults of a policy.
#[derive(Debug)]
pub struct Fault {
    share: Portion,
    delay: Option<Duration>,
    abort: Option<StatusCode>,
}

impl Fault {
    /// Checks that there is a fault, and that its status is one of an error.
    pub(crate) fn check(rules: &config::Fault) -> Result<(), ConfigError> {
        match &rules.abort {
            Some(status) if !(400..=599).contains(&status.value) => {
                let message = format!(
                    "`{}` is not the status of an error, from 400 to 599",
                    status.value
                );
                Err(ConfigError::on(status, message))
            }
            None if rules.delay.is_none() => Err(ConfigError::on(
                &rules.share,
                "a fault needs `delay`, `abort`, or both",
            )),
            _ => Ok(()),
        }
    }

    /// Creates the faults from a checked configuration.
    #[must_use]
    pub fn new(rules: &config::Fault) -> Self {
        let status = rules.abort.as_ref().map(|status| status.value);
        Self {
            share: rules.share.value,
            delay: rules.delay.map(|delay| delay.0),
            abort: status.and_then(|status| StatusCode::from_u16(status).ok()),
        }
    }

    /// Delays or fails the request if it belongs to the part that is chosen at random.
    pub async fn pass(&self, context: &RequestContext<'_>) -> Result<(), Problem> {
        if !self.share.contains(rand::random()) {
            return Ok(());
        }
        if let Some(delay) = self.delay {
            let until = (Instant::now() + delay).min(context.deadline);
            tokio::time::sleep_until(until.into()).await;
        }
        if let Some(status) = self.abort {
            let problem = souk_http::Problem::new(status, "injected-fault", "this route fails on purpose");
            return Err(problem.into());
        }
        if Instant::now() >= context.deadline {
            return Err(Problem::timeout("the service did not respond in time"));
        }
        Ok(())
    }
}
