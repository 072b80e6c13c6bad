//! The keys that sign access tokens. They rotate with overlap: a key is published before it signs, so that every
//! verifier knows it by then, and stays published until the last token that it signed has expired.

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
use souk_http::{
    Problem,
    auth::{AUDIENCE, Claims, ISSUER, Role, Scope, Scopes, TOKEN_TYPE},
};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long an access token lives.
pub(crate) const TOKEN_SECONDS: i64 = 600;
/// A key is published this long before it signs: longer than any verifier caches the set.
const LEAD: Duration = Duration::minutes(15);
/// A key stays published this long after it has stopped signing: longer than its last token lives.
const TRAIL: Duration = Duration::minutes(30);
/// A newer key is made after this.
const AGE: Duration = Duration::days(30);
/// How often a process looks for keys that another has made.
const PERIOD: std::time::Duration = std::time::Duration::from_mins(1);
/// Held while keys change; any number that nothing else in this database uses.
const LOCK: i64 = 0x6b_65_79;

/// Signs access tokens. Cheap to clone.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    pool: PgPool,
    secret: SecretString,
    keys: RwLock<Vec<SigningKey>>,
}

/// For whom an access token is.
pub(crate) enum Holder {
    /// A session, which may do everything that its account may.
    Session(Uuid),
    /// An API key, whose token lives no longer than the key itself.
    ApiKey {
        scopes: Vec<Scope>,
        expires_at: DateTime<Utc>,
    },
}

/// A key of the set, with its private half in memory only.
#[derive(Clone)]
struct SigningKey {
    kid: String,
    public: Vec<u8>,
    private: EncodingKey,
    signs_from: DateTime<Utc>,
    published_until: Option<DateTime<Utc>>,
}

impl Keyring {
    /// Of the keys in the database; read when first needed.
    #[must_use]
    pub fn new(pool: PgPool, secret: SecretString) -> Self {
        Self(Arc::new(Inner {
            pool,
            secret,
            keys: RwLock::default(),
        }))
    }

    /// Keeps the keys current until `shutdown`: reads what others made, and rotates when the newest is old.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            if let Err(error) = self.refresh().await {
                tracing::warn!(error = %format!("{error:#}"), "cannot read the signing keys");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    /// Fails as long as there is nothing to sign with.
    pub async fn ready(&self) -> anyhow::Result<()> {
        self.current().await.map(|_| ())
    }

    async fn refresh(&self) -> anyhow::Result<()> {
        let mut connection = self.0.pool.acquire().await?;
        let newest = newest(&mut connection).await?;
        if newest.is_none_or(|signs_from| signs_from < Utc::now() - AGE) {
            rotate_if(&mut connection, &self.0.secret, |newest| {
                newest.is_none_or(|signs_from| signs_from < Utc::now() - AGE)
            })
            .await?;
        }
        *self.0.keys.write().await = load(&mut connection, &self.0.secret).await?;
        Ok(())
    }

    /// The key that signs now: the newest that has begun to.
    async fn current(&self) -> anyhow::Result<SigningKey> {
        let pick = |keys: &[SigningKey]| {
            let begun = keys.iter().filter(|key| key.signs_from <= Utc::now());
            begun.max_by_key(|key| key.signs_from).cloned()
        };
        if let Some(key) = pick(&self.0.keys.read().await) {
            return Ok(key);
        }
        self.refresh().await?;
        pick(&self.0.keys.read().await).context("there is no signing key")
    }

    /// An access token for the holder, and the seconds for which it is valid.
    pub(crate) async fn sign(
        &self,
        user: UserId,
        roles: &[Role],
        holder: Holder,
    ) -> Result<(String, i64), Problem> {
        let key = self.current().await.map_err(away)?;
        let now = Utc::now().timestamp();
        let (sid, scope, lasts) = match holder {
            Holder::Session(id) => (Some(id), None, TOKEN_SECONDS),
            Holder::ApiKey { scopes, expires_at } => {
                let left = expires_at.timestamp() - now;
                (None, Some(Scopes(scopes)), TOKEN_SECONDS.min(left))
            }
        };
        let claims = Claims {
            iss: ISSUER.into(),
            aud: vec![AUDIENCE.into()],
            sub: user,
            jti: Uuid::new_v4(),
            iat: now,
            nbf: now,
            exp: now + lasts,
            roles: roles.to_vec(),
            sid,
            scope,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.into());
        header.kid = Some(key.kid);
        let token = jsonwebtoken::encode(&header, &claims, &key.private).map_err(Problem::internal)?;
        Ok((token, lasts))
    }

    /// The public keys (RFC 7517, RFC 8037), those that will sign soon among them.
    pub(crate) async fn jwks(&self) -> Result<serde_json::Value, Problem> {
        self.current().await.map_err(away)?;
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

fn away(error: anyhow::Error) -> Problem {
    match error.downcast::<sqlx::Error>() {
        Ok(error) => error.into(),
        Err(error) => Problem::internal(format!("{error:#}")),
    }
}

/// Publishes the next key now; it signs in 15 minutes, and the one before leaves the set half an hour later.
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
    // Every replica finds the key too old in the same minute; one of them makes the next.
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", LOCK)
        .execute(&mut *transaction)
        .await?;
    let newest = newest(&mut transaction).await?;
    if !due(newest) {
        return Ok(());
    }
    // The first key has no predecessor whose readers could miss it.
    let signs_from = newest.map_or_else(Utc::now, |_| Utc::now() + LEAD);
    let pkcs8 = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new())
        .map_err(|_| anyhow!("cannot generate a key"))?;
    let pair =
        Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| anyhow!("cannot read the generated key"))?;
    let public = pair.public_key().as_ref();
    let kid = URL_SAFE_NO_PAD.encode(&Sha256::digest(public)[..12]);
    let private = encrypt(secret, &kid, pkcs8.as_ref())?;
    sqlx::query!(
        "UPDATE signing_keys SET published_until = $1 WHERE published_until IS NULL",
        signs_from + TRAIL
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
    tracing::info!(kid, %signs_from, "made a signing key");
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

/// AES-256-GCM: nonce, then ciphertext and tag; bound to the key's id.
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
    let nonce = aws_lc_rs::aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| anyhow!("a nonce"))?;
    let mut plain = sealed.to_vec();
    let length = cipher(secret)?
        .open_in_place(nonce, Aad::from(kid), &mut plain)
        .map_err(|_| {
            anyhow!("cannot decrypt the key {kid}; is SOUK_KEY_ENCRYPTION_SECRET the one it was made with?")
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
    async fn a_new_key_is_published_before_it_signs_and_the_old_one_after() {
        let database = testkit::postgres::database(&crate::MIGRATOR).await;
        let secret = SecretString::from("a secret of more than 32 characters");
        let keyring = Keyring::new(database.pool.clone(), secret.clone());
        let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let first = kid(&sign(&keyring).await);
        assert_eq!(kids(&keyring).await, std::slice::from_ref(&first));

        rotate(&database.pool, &secret).await.unwrap();
        keyring.refresh().await.unwrap();
        assert_eq!(kids(&keyring).await.len(), 2, "both are published");
        assert_eq!(kid(&sign(&keyring).await), first, "the old one signs");

        // A quarter of an hour later.
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
            "tokens of the old one are still out"
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
    async fn the_database_alone_gives_no_key_away() {
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
