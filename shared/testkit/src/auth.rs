//! Replaces the users service as issuer of access tokens: serves a JWKS endpoint and signs valid and invalid tokens.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, Router, routing::get};
use contracts::UserId;
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};
use uuid::Uuid;

/// DER prefix of the 32 bytes of an Ed25519 private key (RFC 8410, section 7).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const MINUTE: i64 = 60;

/// An issuer of access tokens with its own key, which it publishes at a JWKS URL.
#[derive(Clone)]
pub struct Issuer {
    key: EncodingKey,
    kid: String,
    jwks_url: String,
    published: Arc<Mutex<Vec<Jwk>>>,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer")
            .field("jwks_url", &self.jwks_url)
            .finish_non_exhaustive()
    }
}

impl Issuer {
    /// Creates a key and starts a server that publishes it until the test's runtime ends.
    ///
    /// # Panics
    /// If no port can be bound.
    pub async fn start() -> Self {
        let published: Arc<Mutex<Vec<Jwk>>> = Arc::default();
        let keys = Arc::clone(&published);
        let jwks = get(async move || {
            let keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
            Json(json!({"keys": *keys}))
        });
        let router = Router::new().route("/.well-known/jwks.json", jwks);
        let jwks_url = format!("{}/.well-known/jwks.json", crate::spawn(router).await);
        Self::publish_key(jwks_url, published)
    }

    /// Publishes one more key at the same URL, and returns an issuer that signs with it.
    #[must_use]
    pub fn with_next_key(&self) -> Self {
        Self::publish_key(self.jwks_url.clone(), Arc::clone(&self.published))
    }

    fn publish_key(jwks_url: String, published: Arc<Mutex<Vec<Jwk>>>) -> Self {
        let secret = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
        let key = EncodingKey::from_ed_der(&[&PKCS8[..], &secret].concat());
        let kid = Uuid::new_v4().to_string();
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA).expect("an Ed25519 key");
        jwk.common.key_id = Some(kid.clone());
        published.lock().unwrap_or_else(PoisonError::into_inner).push(jwk);
        Self {
            key,
            kid,
            jwks_url,
            published,
        }
    }

    /// The URL of the JWKS document with the public key.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        self.jwks_url.clone()
    }

    /// Issues a token like that of a login session, which is valid for ten minutes.
    #[must_use]
    pub fn token(&self, user: UserId, roles: &[&str]) -> String {
        self.sign(&self.header(), &Self::claims(user, roles))
    }

    /// Issues a token for a shopper without further roles.
    #[must_use]
    pub fn customer(&self, user: UserId) -> String {
        self.token(user, &["customer"])
    }

    /// Issues a token for a new account with the role `admin`.
    #[must_use]
    pub fn admin(&self) -> String {
        self.token(UserId::generate(), &["customer", "admin"])
    }

    /// Issues a token like that of an API key with these scopes, which are separated by spaces.
    #[must_use]
    pub fn api_key(&self, user: UserId, roles: &[&str], scope: &str) -> String {
        let mut claims = Self::claims(user, roles);
        if let Some(claims) = claims.as_object_mut() {
            claims.remove("sid");
            claims.insert("scope".to_owned(), scope.into());
        }
        self.sign(&self.header(), &claims)
    }

    /// Issues a token that expired an hour ago.
    #[must_use]
    pub fn expired_token(&self, user: UserId) -> String {
        let mut claims = Self::claims(user, &["customer"]);
        for time in ["iat", "nbf", "exp"] {
            claims[time] = json!(claims[time].as_i64().unwrap_or_default() - 70 * MINUTE);
        }
        self.sign(&self.header(), &claims)
    }

    /// Returns the header of a valid token, which tests change and pass to [`Issuer::sign`].
    #[must_use]
    pub fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.kid.clone());
        header
    }

    /// Returns the claims of a valid token, which tests change and pass to [`Issuer::sign`].
    #[must_use]
    pub fn claims(user: UserId, roles: &[&str]) -> Value {
        let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap_or_default();
        json!({
            "iss": "https://souk.test",
            "aud": ["souk"],
            "sub": user,
            "jti": Uuid::new_v4(),
            "sid": Uuid::new_v4(),
            "iat": now,
            "nbf": now,
            "exp": now + 10 * MINUTE,
            "roles": roles,
        })
    }

    /// Signs any header and claims.
    ///
    /// # Panics
    /// If the algorithm in the header is not `EdDSA`.
    #[must_use]
    pub fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).expect("a token that can be signed")
    }
}
