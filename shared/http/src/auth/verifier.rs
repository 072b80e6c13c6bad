//! Verifies access tokens: first the header, then the signature with the issuer's key, then the claims.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation, errors::ErrorKind};
use serde::de::DeserializeOwned;
use souk_tls::{Connector, Protocol};

use super::{
    AUDIENCE, Claims, ISSUER, TOKEN_TYPE,
    keys::{AgeLimits, Keys, Lookup},
};

/// Tolerated difference between the clocks of the issuer and this process, in seconds.
pub const LEEWAY: u64 = 30;
/// Name in the certificate of the service that issues access tokens.
const USERS: &str = "users";

/// The reason why an access token was rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The token is invalid, and retrying does not help. The reason is meant for the log.
    #[error("the access token is not valid: {0}")]
    Invalid(&'static str),
    /// The keys could not be fetched, so the token may be accepted later.
    #[error("the keys of the issuer are not available")]
    Unavailable,
}

/// Verifies access tokens with the keys published at a JWKS address. Clones are cheap and share the cached keys.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Arc<Keys>,
    validation: Arc<Validation>,
}

impl Verifier {
    /// Creates a verifier of Souk's access tokens, which uses the keys at `jwks_url`. They are fetched on first use and
    /// refreshed every 10 minutes, by one request at a time. While the issuer is unavailable, they are used for up to an hour.
    /// Unknown key ids cause at most one fetch in 30 seconds.
    #[must_use]
    pub fn new(jwks_url: impl Into<String>) -> Self {
        Self::of_issuer(ISSUER, &[AUDIENCE], vec![Algorithm::EdDSA], jwks_url, None)
    }

    /// Like [`Verifier::new`]. With `tls`, the keys are fetched from the users service with mutual TLS. Fails if a file of
    /// `tls` cannot be used, or if the URL does not begin with `https://`.
    pub fn with_tls(jwks_url: impl Into<String>, tls: Option<&souk_tls::Settings>) -> anyhow::Result<Self> {
        let jwks_url = jwks_url.into();
        let connector = tls.map(|tls| tls.connector(USERS, Protocol::Http1)).transpose()?;
        anyhow::ensure!(
            connector.is_none() || jwks_url.starts_with("https://"),
            "SOUK_JWKS_URL must begin with https://, because SOUK_TLS_CERT is set"
        );
        Ok(Self::of_issuer(
            ISSUER,
            &[AUDIENCE],
            vec![Algorithm::EdDSA],
            jwks_url,
            connector,
        ))
    }

    /// Like [`Verifier::new`], for the tokens of any issuer that contain one of the audiences and are signed with one of the
    /// algorithms. With `tls`, the keys are fetched from that service only.
    #[must_use]
    pub fn of_issuer(
        issuer: &str,
        audiences: &[impl ToString],
        algorithms: Vec<Algorithm>,
        jwks_url: impl Into<String>,
        tls: Option<Connector>,
    ) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_audience(audiences);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        Self {
            keys: Arc::new(Keys::new(jwks_url.into(), tls, algorithms, AgeLimits::default())),
            validation: Arc::new(validation),
        }
    }

    /// Fetches the keys before they are needed, and again every 10 minutes for as long as this is polled. For processes that
    /// cache verified tokens: those do not look up keys, so they cause no fetch.
    pub async fn keep_fresh(&self) {
        loop {
            tokio::time::sleep(self.keys.refresh().await).await;
        }
    }

    /// Returns a number that changes whenever the issuer's keys do, or `None` while no keys are available. A cached result of
    /// [`Verifier::verify`] may be used while this is the same as before the token was verified.
    #[must_use]
    pub fn keys_version(&self) -> Option<u64> {
        self.keys.version()
    }

    /// Returns the claims of `token` if it was signed by the issuer and is valid now, with a leeway of 30 seconds.
    pub async fn verify(&self, token: &str) -> Result<Claims, AuthError> {
        self.verify_claims(token).await
    }

    /// Like [`Verifier::verify`], for tokens with other claims.
    pub async fn verify_claims<T: DeserializeOwned>(&self, token: &str) -> Result<T, AuthError> {
        if token.len() > 4096 {
            return Err(AuthError::Invalid("too long"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| AuthError::Invalid("not a JWT"))?;
        // `at+jwt` may also be written as the media type (RFC 9068, section 4).
        let typ = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        if typ.strip_prefix("application/").unwrap_or(&typ) != TOKEN_TYPE {
            return Err(AuthError::Invalid("typ"));
        }
        // A token must not choose the key that verifies it, nor require extensions that are not implemented.
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
        let mut validation = Validation::clone(&self.validation);
        validation.algorithms = vec![key.0];
        jsonwebtoken::decode(token, &key.1, &validation)
            .map(|data| data.claims)
            .map_err(|error| {
                AuthError::Invalid(match error.kind() {
                    ErrorKind::InvalidAlgorithm => "alg",
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
