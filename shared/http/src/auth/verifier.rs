//! Verification of one access token: the header's rules first, then the key, then signature and claims.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation, errors::ErrorKind};

use super::{
    AUDIENCE, Claims, ISSUER, TOKEN_TYPE,
    keys::{Ages, Keys, Lookup},
};

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It will not be, however often it is sent. The reason is for the log.
    #[error("the access token is not valid: {0}")]
    Invalid(&'static str),
    /// The keys could not be fetched; later it may be.
    #[error("the keys of the issuer are not available")]
    Unavailable,
}

/// Verifies access tokens with the keys published at a JWKS address. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Arc<Keys>,
    validation: Arc<Validation>,
}

impl Verifier {
    /// With the keys at `jwks_url`. They are fetched when first needed and every 10 minutes, by one request at a time;
    /// they serve up to an hour while the issuer is away; an unknown key id fetches them at most once in 30 seconds.
    #[must_use]
    pub fn new(jwks_url: impl Into<String>) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = 30;
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        Self {
            keys: Arc::new(Keys::new(jwks_url.into(), Ages::default())),
            validation: Arc::new(validation),
        }
    }

    /// The claims of `token`, if it is one of ours and valid now.
    pub async fn verify(&self, token: &str) -> Result<Claims, AuthError> {
        if token.len() > 4096 {
            return Err(AuthError::Invalid("too long"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| AuthError::Invalid("not a JWT"))?;
        if header.alg != Algorithm::EdDSA {
            return Err(AuthError::Invalid("alg"));
        }
        // `at+jwt` may also be written as the media type (RFC 9068, section 4).
        let typ = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        if typ.strip_prefix("application/").unwrap_or(&typ) != TOKEN_TYPE {
            return Err(AuthError::Invalid("typ"));
        }
        // A token must not choose the key it is checked with, nor extensions that nobody here understands.
        if header.jku.is_some()
            || header.jwk.is_some()
            || header.x5u.is_some()
            || header.x5c.is_some()
            || header.crit.is_some()
        {
            return Err(AuthError::Invalid("jku, jwk, x5u, x5c or crit"));
        }
        let kid = header.kid.ok_or(AuthError::Invalid("no kid"))?;
        let key = match self.keys.get(&kid).await {
            Lookup::Found(key) => key,
            Lookup::Unknown => return Err(AuthError::Invalid("unknown kid")),
            Lookup::Unavailable => return Err(AuthError::Unavailable),
        };
        jsonwebtoken::decode::<Claims>(token, &key, &self.validation)
            .map(|data| data.claims)
            .map_err(|error| {
                AuthError::Invalid(match error.kind() {
                    ErrorKind::ExpiredSignature => "expired",
                    ErrorKind::ImmatureSignature => "not valid yet",
                    ErrorKind::InvalidSignature => "signature",
                    ErrorKind::InvalidIssuer => "iss",
                    ErrorKind::InvalidAudience => "aud",
                    _ => "claims",
                })
            })
    }
}
