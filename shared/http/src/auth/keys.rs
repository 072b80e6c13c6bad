//! The cache of the issuer's public keys. It bounds both how stale a key may be and how often anyone, even with made-up
//! key ids, can make it ask the issuer.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, JwkSet},
};
use tokio::{sync::Mutex, time::Instant};

/// What the age of the set allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ages {
    /// Fetched again after this.
    pub(super) fresh: Duration,
    /// Not used any more after this.
    pub(super) stale: Duration,
    /// An unknown key id fetches again only after this.
    pub(super) unknown: Duration,
    /// After a failure nobody asks for this long.
    pub(super) failed: Duration,
}

impl Default for Ages {
    fn default() -> Self {
        Self {
            fresh: Duration::from_mins(10),
            stale: Duration::from_hours(1),
            unknown: Duration::from_secs(30),
            failed: Duration::from_secs(1),
        }
    }
}

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
    ages: Ages,
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
    pub(super) fn new(url: String, ages: Ages) -> Self {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build();
        Self {
            url,
            ages,
            client: client.unwrap_or_default(),
            set: ArcSwap::default(),
            failed: Arc::default(),
        }
    }

    /// The key with this id.
    pub(super) async fn get(self: &Arc<Self>, kid: &str) -> Lookup {
        let set = self.set.load();
        if let Some(key) = set.keys.get(kid) {
            if set.younger_than(self.ages.fresh) {
                return Lookup::Found(Arc::clone(key));
            }
            if set.younger_than(self.ages.stale) {
                // Good enough for this request; a newer set is fetched behind its back, by whoever gets the lock.
                let this = Arc::clone(self);
                if let Ok(guard) = Arc::clone(&self.failed).try_lock_owned() {
                    tokio::spawn(async move { this.fetch(guard).await });
                }
                return Lookup::Found(Arc::clone(key));
            }
        } else if set.younger_than(self.ages.unknown) {
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
            Some(key) if set.younger_than(self.ages.stale) => Lookup::Found(Arc::clone(key)),
            _ if set.younger_than(self.ages.unknown) => Lookup::Unknown,
            _ => Lookup::Unavailable,
        }
    }

    async fn fetch(&self, mut failed: tokio::sync::OwnedMutexGuard<Option<Instant>>) {
        if failed.is_some_and(|at| at.elapsed() < self.ages.failed) {
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

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    };

    use axum::{Router, routing::get};
    use http::StatusCode;
    use serde_json::{Value, json};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// An issuer that can go away and rotate.
    struct Issuer {
        away: Arc<AtomicBool>,
        kid: Arc<Mutex<&'static str>>,
        url: String,
    }

    impl Issuer {
        async fn start() -> Self {
            let (away, kid) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new("first")));
            let (is_away, current) = (Arc::clone(&away), Arc::clone(&kid));
            let jwks = get(move || {
                let kid = *current.lock().unwrap();
                let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "A".repeat(43)});
                let rsa = json!({"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"});
                let answer: (StatusCode, axum::Json<Value>) = if is_away.load(Ordering::SeqCst) {
                    (StatusCode::BAD_GATEWAY, axum::Json(json!({})))
                } else {
                    (StatusCode::OK, axum::Json(json!({"keys": [rsa, jwk]})))
                };
                async move { answer }
            });
            let url = testkit::spawn(Router::new().route("/", jwks)).await;
            Self { away, kid, url }
        }

        fn keys(&self, fresh: Duration, stale: Duration, unknown: Duration) -> Arc<Keys> {
            let failed = Duration::ZERO;
            let ages = Ages {
                fresh,
                stale,
                unknown,
                failed,
            };
            Arc::new(Keys::new(self.url.clone(), ages))
        }
    }

    #[tokio::test]
    async fn stale_keys_serve_while_the_issuer_is_away_but_not_for_ever() {
        let issuer = Issuer::start().await;
        let lenient = issuer.keys(Duration::ZERO, HOUR, HOUR);
        let strict = issuer.keys(Duration::ZERO, Duration::ZERO, HOUR);
        assert!(matches!(lenient.get("first").await, Lookup::Found(_)));
        issuer.away.store(true, Ordering::SeqCst);
        assert!(matches!(lenient.get("first").await, Lookup::Found(_)));
        assert!(!matches!(strict.get("first").await, Lookup::Found(_)));
    }

    #[tokio::test]
    async fn a_rotated_key_is_found_as_soon_as_the_pause_allows() {
        let issuer = Issuer::start().await;
        let (eager, patient) = (
            issuer.keys(HOUR, HOUR, Duration::ZERO),
            issuer.keys(HOUR, HOUR, HOUR),
        );
        for keys in [&eager, &patient] {
            assert!(matches!(keys.get("first").await, Lookup::Found(_)));
        }
        *issuer.kid.lock().unwrap() = "second";
        assert!(matches!(eager.get("second").await, Lookup::Found(_)));
        assert!(matches!(patient.get("second").await, Lookup::Unknown));
        assert!(
            !matches!(patient.get("rsa").await, Lookup::Found(_)),
            "only Ed25519 may sign"
        );
    }
}
