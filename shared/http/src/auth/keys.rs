//! The cache of the issuer's public keys. It bounds both how stale a key may be and how often anyone, even with made-up
//! key ids, can make it ask the issuer.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, JwkSet},
};
use tokio::{sync::Mutex, time::Instant};

/// Fetched again after this.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// Not used any more after this.
const STALE: Duration = Duration::from_secs(60 * 60);
/// An unknown key id fetches again only after this.
const UNKNOWN: Duration = Duration::from_secs(30);
/// After a failure nobody asks for this long.
const FAILED: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(2);

/// What is known of a key id.
pub(super) enum Lookup {
    Found(Arc<DecodingKey>),
    Unknown,
    Unavailable,
}

/// The keys at one address.
#[derive(Debug)]
pub(super) struct Keys {
    url: String,
    client: reqwest::Client,
    set: ArcSwap<Set>,
    /// Held while fetching, so that there is one fetch at a time; the time of the last that failed.
    failed: Arc<Mutex<Option<Instant>>>,
}

#[derive(Default)]
struct Set {
    keys: HashMap<String, Arc<DecodingKey>>,
    fetched: Option<Instant>,
}

impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

impl Set {
    fn younger_than(&self, age: Duration) -> bool {
        self.fetched.is_some_and(|fetched| fetched.elapsed() < age)
    }
}

impl Keys {
    pub(super) fn new(url: String) -> Self {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build();
        Self {
            url,
            client: client.unwrap_or_default(),
            set: ArcSwap::default(),
            failed: Arc::default(),
        }
    }

    /// The key with this id.
    pub(super) async fn get(self: &Arc<Self>, kid: &str) -> Lookup {
        let set = self.set.load();
        if let Some(key) = set.keys.get(kid) {
            if set.younger_than(FRESH) {
                return Lookup::Found(Arc::clone(key));
            }
            if set.younger_than(STALE) {
                // Good enough for this request; a newer set is fetched behind its back, by whoever gets the lock.
                let this = Arc::clone(self);
                if let Ok(guard) = Arc::clone(&self.failed).try_lock_owned() {
                    tokio::spawn(async move { this.fetch(guard).await });
                }
                return Lookup::Found(Arc::clone(key));
            }
        } else if set.younger_than(UNKNOWN) {
            return Lookup::Unknown;
        }
        drop(set);
        let before = self.set.load().fetched;
        let guard = Arc::clone(&self.failed).lock_owned().await;
        if self.set.load().fetched == before {
            // In a task of its own: a client that disconnects must not make the others wait for a new fetch.
            let this = Arc::clone(self);
            let _ = tokio::spawn(async move { this.fetch(guard).await }).await;
        }
        let set = self.set.load();
        match set.keys.get(kid) {
            Some(key) if set.younger_than(STALE) => Lookup::Found(Arc::clone(key)),
            _ if set.younger_than(UNKNOWN) => Lookup::Unknown,
            _ => Lookup::Unavailable,
        }
    }

    async fn fetch(&self, mut failed: tokio::sync::OwnedMutexGuard<Option<Instant>>) {
        if failed.is_some_and(|at| at.elapsed() < FAILED) {
            return;
        }
        match self.request().await {
            Ok(keys) => {
                *failed = None;
                let fetched = Some(Instant::now());
                self.set.store(Arc::new(Set { keys, fetched }));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot fetch the keys of access tokens");
                *failed = Some(Instant::now());
            }
        }
    }

    /// Only Ed25519 keys with an id count: the allow-list of what may sign.
    async fn request(&self) -> reqwest::Result<HashMap<String, Arc<DecodingKey>>> {
        let answer = self.client.get(&self.url).send().await?.error_for_status()?;
        let set: JwkSet = answer.json().await?;
        let keys = set.keys.into_iter().filter_map(|jwk| {
            let AlgorithmParameters::OctetKeyPair(parameters) = &jwk.algorithm else {
                return None;
            };
            if parameters.curve != EllipticCurve::Ed25519 {
                return None;
            }
            let key = DecodingKey::from_ed_components(&parameters.x).ok()?;
            Some((jwk.common.key_id?, Arc::new(key)))
        });
        Ok(keys.collect())
    }
}
