//! The keys that sign access tokens. They are rotated with an overlap: a key is published before it signs, so that every
//! verifier has fetched it by then, and stays published until the last token it signed has expired.

use std::sync::Arc;

use anyhow::{Context, anyhow, ensure};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, RandomizedNonceKey},
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use contracts::UserId;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sha2::{Digest, Sha256};
use souk_config::{ExposeSecret, SecretString};
use souk_http::auth::{AUDIENCE, Claims, ISSUER, Role, Scope, Scopes, TOKEN_TYPE};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::Error;

/// A token is valid from this many seconds before it is signed, for services whose clocks are behind.
const CLOCK_DIFFERENCE: i64 = 300;
/// Lifetime of an access token of a session, in seconds.
pub(crate) const TOKEN_SECONDS: i64 = 600;
/// How long a key is published before it signs; longer than verifiers cache the key set.
const PUBLISH_BEFORE: Duration = Duration::minutes(15);
/// How long a key stays published after it has stopped signing; longer than the lifetime of a token.
const PUBLISH_AFTER: Duration = Duration::minutes(30);
/// Age of the newest key at which the next one is created.
const ROTATION_AGE: Duration = Duration::days(30);
/// How often the keys are reloaded from the database, to learn of those that another replica has created.
const REFRESH_INTERVAL: std::time::Duration = std::time::Duration::from_mins(1);
/// Id of the advisory lock that is held while keys are rotated; unique within this database.
const ROTATION_LOCK: i64 = 0x6b_65_79;

/// Signs access tokens. Cheap to clone.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    pool: PgPool,
    secret: SecretString,
    keys: RwLock<Vec<SigningKey>>,
}

/// The holder of an access token.
pub(crate) enum Holder {
    /// A session, which has all permissions of its account.
    Session(Uuid),
    /// An API key, whose token is limited to its scopes and expires no later than the key.
    ApiKey {
        scopes: Vec<Scope>,
        expires_at: DateTime<Utc>,
    },
}

/// A published key. Its decrypted private half is kept in memory only.
#[derive(Clone)]
struct SigningKey {
    kid: String,
    public: Vec<u8>,
    private: EncodingKey,
    signs_from: DateTime<Utc>,
    published_until: Option<DateTime<Utc>>,
}

impl Keyring {
    /// Creates a keyring for the keys in the database. They are loaded when first needed.
    #[must_use]
    pub fn new(pool: PgPool, secret: SecretString) -> Self {
        Self(Arc::new(Inner {
            pool,
            secret,
            keys: RwLock::default(),
        }))
    }

    /// Reloads the keys every minute until `shutdown`, and creates a new one when the newest is 30 days old.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            if let Err(error) = self.refresh().await {
                tracing::warn!(error = %format!("{error:#}"), "cannot refresh the signing keys; will retry in 1 min");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(REFRESH_INTERVAL) => {}
            }
        }
    }

    /// Fails as long as there is no key to sign with.
    pub async fn ready(&self) -> anyhow::Result<()> {
        self.current().await.map(|_| ())
    }

    async fn refresh(&self) -> anyhow::Result<()> {
        let mut connection = self.0.pool.acquire().await?;
        let newest = newest(&mut connection).await?;
        if newest.is_none_or(|signs_from| signs_from < Utc::now() - ROTATION_AGE) {
            rotate_if(&mut connection, &self.0.secret, |newest| {
                newest.is_none_or(|signs_from| signs_from < Utc::now() - ROTATION_AGE)
            })
            .await?;
        }
        *self.0.keys.write().await = load(&mut connection, &self.0.secret).await?;
        Ok(())
    }

    /// Returns the key that signs now: the newest one whose time to sign has come.
    async fn current(&self) -> anyhow::Result<SigningKey> {
        let pick = |keys: &[SigningKey]| {
            let signing = keys.iter().filter(|key| key.signs_from <= Utc::now());
            signing.max_by_key(|key| key.signs_from).cloned()
        };
        if let Some(key) = pick(&self.0.keys.read().await) {
            return Ok(key);
        }
        self.refresh().await?;
        pick(&self.0.keys.read().await).context("there is no signing key")
    }

    /// Signs an access token for the holder; returns it with its lifetime in seconds.
    pub(crate) async fn sign(
        &self,
        user: UserId,
        roles: &[Role],
        holder: Holder,
    ) -> Result<(String, i64), Error> {
        let key = self.current().await.map_err(to_error)?;
        let now = Utc::now().timestamp();
        let (sid, scope, lifetime) = match holder {
            Holder::Session(id) => (Some(id), None, TOKEN_SECONDS),
            Holder::ApiKey { scopes, expires_at } => {
                let remaining = expires_at.timestamp() - now;
                (None, Some(Scopes(scopes)), TOKEN_SECONDS.min(remaining))
            }
        };
        let claims = Claims {
            iss: ISSUER.into(),
            aud: vec![AUDIENCE.into()],
            sub: user,
            jti: Uuid::new_v4(),
            iat: now,
            nbf: now - CLOCK_DIFFERENCE,
            exp: now + lifetime,
            roles: roles.to_vec(),
            sid,
            scope,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.into());
        header.kid = Some(key.kid);
        let token = jsonwebtoken::encode(&header, &claims, &key.private).map_err(Error::internal)?;
        Ok((token, lifetime))
    }

    /// Returns the published keys as a JWK set (RFC 7517, RFC 8037), including keys that do not sign yet.
    pub(crate) async fn jwks(&self) -> Result<serde_json::Value, Error> {
        self.current().await.map_err(to_error)?;
        let keys: Vec<_> = self
            .0
            .keys
            .read()
            .await
            .iter()
            .filter(|key| key.published_until.is_none_or(|until| until > Utc::now()))
            .map(|key| {
                serde_json::json!({
                    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
                    "kid": key.kid, "x": URL_SAFE_NO_PAD.encode(&key.public),
                })
            })
            .collect();
        Ok(serde_json::json!({ "keys": keys }))
    }
}

fn to_error(error: anyhow::Error) -> Error {
    error
        .downcast::<sqlx::Error>()
        .map_or_else(Error::Internal, Error::Database)
}

/// Publishes a new key now. It begins to sign in 15 minutes, and the previous key is withdrawn 30 minutes after that.
pub async fn rotate(pool: &PgPool, secret: &SecretString) -> anyhow::Result<()> {
    let mut connection = pool.acquire().await?;
    rotate_if(&mut connection, secret, |_| true).await
}

async fn rotate_if(
    connection: &mut PgConnection,
    secret: &SecretString,
    due: impl Fn(Option<DateTime<Utc>>) -> bool,
) -> anyhow::Result<()> {
    let mut transaction = connection.begin().await?;
    // All replicas find the key too old at about the same time; the lock lets one of them create the next.
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", ROTATION_LOCK)
        .execute(&mut *transaction)
        .await?;
    let newest = newest(&mut transaction).await?;
    if !due(newest) {
        return Ok(());
    }
    // The first key signs at once: no verifier has cached an older key set.
    let signs_from = newest.map_or_else(Utc::now, |_| Utc::now() + PUBLISH_BEFORE);
    let pkcs8 = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new())
        .map_err(|_| anyhow!("cannot generate a key"))?;
    let pair =
        Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| anyhow!("cannot read the generated key"))?;
    let public = pair.public_key().as_ref();
    let kid = URL_SAFE_NO_PAD.encode(&Sha256::digest(public)[..12]);
    let private = encrypt(secret, &kid, pkcs8.as_ref())?;
    sqlx::query!(
        "UPDATE signing_keys SET published_until = $1 WHERE published_until IS NULL",
        signs_from + PUBLISH_AFTER
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!("DELETE FROM signing_keys WHERE published_until < now()")
        .execute(&mut *transaction)
        .await?;
    sqlx::query!(
        "INSERT INTO signing_keys (kid, public_key, private_key, signs_from) VALUES ($1, $2, $3, $4)",
        kid,
        public,
        private,
        signs_from
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    tracing::info!(kid, %signs_from, "created a signing key");
    Ok(())
}

async fn newest(connection: &mut PgConnection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!("SELECT max(signs_from) FROM signing_keys")
        .fetch_one(connection)
        .await
}

async fn load(connection: &mut PgConnection, secret: &SecretString) -> anyhow::Result<Vec<SigningKey>> {
    let rows = sqlx::query!(
        "SELECT kid, public_key, private_key, signs_from, published_until FROM signing_keys
         WHERE published_until IS NULL OR published_until > now() ORDER BY signs_from"
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let pkcs8 = decrypt(secret, &row.kid, &row.private_key)?;
            Ok(SigningKey {
                private: EncodingKey::from_ed_der(&pkcs8),
                kid: row.kid,
                public: row.public_key,
                signs_from: row.signs_from,
                published_until: row.published_until,
            })
        })
        .collect()
}

fn cipher(secret: &SecretString) -> anyhow::Result<RandomizedNonceKey> {
    let key = Sha256::digest(secret.expose_secret().as_bytes());
    RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| anyhow!("cannot set up the encryption of keys"))
}

/// Encrypts with AES-256-GCM; returns the nonce followed by ciphertext and tag. The key's id is authenticated as well.
fn encrypt(secret: &SecretString, kid: &str, plain: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut sealed = plain.to_vec();
    let nonce = cipher(secret)?
        .seal_in_place_append_tag(Aad::from(kid), &mut sealed)
        .map_err(|_| anyhow!("cannot encrypt a key"))?;
    Ok([nonce.as_ref().as_slice(), &sealed].concat())
}

fn decrypt(secret: &SecretString, kid: &str, stored: &[u8]) -> anyhow::Result<Vec<u8>> {
    ensure!(stored.len() > NONCE_LEN, "the stored key {kid} is too short");
    let (nonce, sealed) = stored.split_at(NONCE_LEN);
    let nonce = aws_lc_rs::aead::Nonce::try_assume_unique_for_key(nonce)
        .map_err(|_| anyhow!("the stored nonce has the wrong length"))?;
    let mut plain = sealed.to_vec();
    let length = cipher(secret)?
        .open_in_place(nonce, Aad::from(kid), &mut plain)
        .map_err(|_| {
            anyhow!("cannot decrypt the key {kid}; was it encrypted with another SOUK_KEY_ENCRYPTION_SECRET?")
        })?
        .len();
    plain.truncate(length);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sign(keyring: &Keyring) -> String {
        let holder = Holder::Session(Uuid::new_v4());
        keyring.sign(UserId::generate(), &[], holder).await.unwrap().0
    }

    async fn kids(keyring: &Keyring) -> Vec<String> {
        let keys = keyring.jwks().await.unwrap()["keys"].as_array().unwrap().clone();
        keys.iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    }

    #[tokio::test]
    async fn keys_are_published_before_and_after_they_sign() {
        let database = testkit::postgres::database(&crate::MIGRATOR).await;
        let secret = SecretString::from("a secret of more than 32 characters");
        let keyring = Keyring::new(database.pool.clone(), secret.clone());
        let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let token = sign(&keyring).await;
        let claims = jsonwebtoken::dangerous::insecure_decode::<Claims>(&token)
            .unwrap()
            .claims;
        assert_eq!(
            claims.nbf,
            claims.iat - 300,
            "services may be five minutes behind"
        );
        let first = kid(&token);
        assert_eq!(kids(&keyring).await, std::slice::from_ref(&first));

        rotate(&database.pool, &secret).await.unwrap();
        keyring.refresh().await.unwrap();
        assert_eq!(kids(&keyring).await.len(), 2, "both are published");
        assert_eq!(kid(&sign(&keyring).await), first, "the old key still signs");

        // Simulate that 16 minutes pass.
        sqlx::query("UPDATE signing_keys SET signs_from = signs_from - interval '16 minutes', published_until = published_until - interval '16 minutes'")
            .execute(&database.pool)
            .await
            .unwrap();
        keyring.refresh().await.unwrap();
        let second = kid(&sign(&keyring).await);
        assert_ne!(second, first);
        assert_eq!(
            kids(&keyring).await.len(),
            2,
            "tokens signed by the old key are still valid"
        );

        sqlx::query("UPDATE signing_keys SET published_until = now() - interval '1 second' WHERE kid = $1")
            .bind(&first)
            .execute(&database.pool)
            .await
            .unwrap();
        keyring.refresh().await.unwrap();
        assert_eq!(kids(&keyring).await, [second]);
    }

    #[tokio::test]
    async fn keys_cannot_be_decrypted_with_another_secret() {
        let database = testkit::postgres::database(&crate::MIGRATOR).await;
        rotate(&database.pool, &"a secret of more than 32 characters".into())
            .await
            .unwrap();
        let other = Keyring::new(
            database.pool.clone(),
            "another secret of 32 characters and more".into(),
        );
        let error = other.ready().await.unwrap_err().to_string();
        assert!(error.contains("SOUK_KEY_ENCRYPTION_SECRET"), "{error}");
    }
}
