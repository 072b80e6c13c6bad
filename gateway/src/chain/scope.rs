//! What API keys may be used for. The token that a key was exchanged for says so in `scope` (RFC 8693): words with spaces
//! between them. A token that has no such claim is not limited, unless it belongs to a key.

use http::Method;

use super::Passage;
use crate::{config, problem::Problem};

/// The scopes that allow a request.
#[derive(Debug)]
pub struct ScopeRule {
    safe: Vec<String>,
    other: Vec<String>,
}

impl ScopeRule {
    /// From the file.
    #[must_use]
    pub fn new(config: &config::ScopeRule) -> Self {
        Self {
            safe: config.safe.clone(),
            other: config.other.clone(),
        }
    }

    /// The scopes of which a key needs one for this method; with none of them no key is allowed.
    #[must_use]
    pub fn allowing(&self, method: &Method) -> &[String] {
        if method.is_safe() { &self.safe } else { &self.other }
    }

    /// Refuses a key without a scope that allows the request.
    pub fn pass(&self, passage: &Passage, method: &Method) -> Result<(), Problem> {
        let Some(identity) = &passage.identity else {
            return Ok(());
        };
        let allowing = self.allowing(method);
        let is_allowed = match &identity.scopes {
            Some(scopes) => scopes.iter().any(|scope| allowing.contains(scope)),
            None => !passage.has_api_key,
        };
        if is_allowed {
            Ok(())
        } else if allowing.is_empty() {
            Err(Problem::forbidden("an API key cannot do this; log in"))
        } else {
            Err(Problem::forbidden(format!(
                "the API key needs one of these scopes: {}",
                allowing.join(", ")
            )))
        }
    }
}
