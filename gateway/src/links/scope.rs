//! Limits what API keys may be used for. The token of a key lists its scopes in the claim `scope` (RFC 8693), separated
//! by spaces. A token without this claim belongs to a session and is not limited; without it, an API key may do
//! nothing.

use http::Method;

use super::RequestContext;
use crate::{config, message::Problem};

/// The scopes of which an API key needs one.
#[derive(Debug)]
pub struct ScopeRule {
    safe: Vec<String>,
    other: Vec<String>,
}

impl ScopeRule {
    /// Creates the rule from the configuration.
    #[must_use]
    pub fn new(config: &config::ScopeRule) -> Self {
        Self {
            safe: config.safe.clone(),
            other: config.other.clone(),
        }
    }

    /// The scopes of which a key needs one for this method. If there are none, no key is allowed.
    #[must_use]
    pub fn allowing(&self, method: &Method) -> &[String] {
        if method.is_safe() { &self.safe } else { &self.other }
    }

    /// Rejects a request whose token is limited to scopes that do not allow it. Anonymous requests pass.
    pub fn pass(&self, context: &RequestContext<'_>, method: &Method) -> Result<(), Problem> {
        let Some(identity) = &context.identity else {
            return Ok(());
        };
        let allowing = self.allowing(method);
        let is_allowed = match &identity.scopes {
            Some(scopes) => scopes.iter().any(|scope| allowing.contains(scope)),
            None => !context.has_api_key,
        };
        if is_allowed {
            Ok(())
        } else if allowing.is_empty() {
            Err(souk_http::Problem::session_required().into())
        } else {
            let scopes = allowing.join(", ");
            let detail = format!("the API key needs one of these scopes: {scopes}");
            Err(souk_http::Problem::insufficient_scope(detail).into())
        }
    }
}
