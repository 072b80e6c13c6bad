//! Caches the issuer's public keys. The cache limits both how old a key may be and how often requests to the issuer are
//! made, even when callers send made-up key ids.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jsonwebtoken::{Algorithm, DecodingKey, jwk::JwkSet};
use souk_tls::Connector;
use tokio::{sync::Mutex, time::Instant};

/// Age limits of the cached key set.
#[derive(Debug, Clone, Copy)]
pub(super) struct AgeLimits {
    /// The set is refreshed in the background after this time.
    pub(super) fresh: Duration,
    /// The set is no longer used after this time.
    pub(super) stale: Duration,
    /// An unknown key id triggers another fetch only after this time.
    pub(super) unknown: Duration,
    /// Minimum time between a failed fetch and the next one.
    pub(super) failed: Duration,
    /// A request without a usable key waits for the next fetch until this time has passed since it arrived.
    pub(super) patience: Duration,
}

impl Default for AgeLimits {
    fn default() -> Self {
        Self {
            fresh: Duration::from_mins(10),
            stale: Duration::from_hours(1),
            unknown: Duration::from_secs(30),
            failed: Duration::from_secs(1),
            patience: Duration::from_secs(2),
        }
    }
}

const TIMEOUT: Duration = Duration::from_secs(2);
/// Timeout for connecting. The addresses of the issuer share it equally, so that one that has vanished leaves time for another.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A key with the algorithm that its issuer states.
pub(super) type Key = (Algorithm, DecodingKey);

/// Result of looking up a key id. `Unavailable` means that the keys cannot be fetched, so the id may be valid.
pub(super) enum Lookup {
    Found(Arc<Key>),
    Unknown,
    Unavailable,
}

/// The cached keys of one JWKS address.
#[derive(Debug)]
pub(super) struct Keys {
    url: String,
    algorithms: Vec<Algorithm>,
    limits: AgeLimits,
    client: Client,
    set: ArcSwap<Set>,
    /// Time of the last fetch if it failed. Locked during a fetch, so that there is only one at a time.
    failed: Arc<Mutex<Option<Instant>>>,
}

/// How requests are sent to the issuer.
#[derive(Debug)]
enum Client {
    /// To any server, which is verified by the certificates of the operating system if the URL is `https`.
    Public(reqwest::Client),
    /// With mutual TLS, to one service.
    Mutual(Connector),
}

impl Client {
    fn new(tls: Option<Connector>) -> Self {
        let public = || {
            let client = reqwest::Client::builder()
                .timeout(TIMEOUT)
                .connect_timeout(CONNECT_TIMEOUT)
                .build();
            Self::Public(client.unwrap_or_default())
        };
        tls.map_or_else(public, Self::Mutual)
    }

    /// The client for one request. Requests are rare, so no connection is kept between them, only the TLS session.
    fn get(&self) -> reqwest::Result<reqwest::Client> {
        match self {
            Self::Public(client) => Ok(client.clone()),
            Self::Mutual(connector) => reqwest::Client::builder()
                .timeout(TIMEOUT)
                .connect_timeout(CONNECT_TIMEOUT)
                .tls_backend_preconfigured((*connector.config()).clone())
                .build(),
        }
    }
}

#[derive(Default)]
struct Set {
    document: JwkSet,
    keys: HashMap<String, Arc<Key>>,
    /// Increases whenever a fetched document differs from the previous one.
    version: u64,
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
    pub(super) fn new(
        url: String,
        tls: Option<Connector>,
        algorithms: Vec<Algorithm>,
        limits: AgeLimits,
    ) -> Self {
        Self {
            url,
            algorithms,
            limits,
            client: Client::new(tls),
            set: ArcSwap::default(),
            failed: Arc::default(),
        }
    }

    /// Returns a number that changes whenever the keys do, or `None` while there are no keys that may be used.
    pub(super) fn version(&self) -> Option<u64> {
        let set = self.set.load();
        set.younger_than(self.limits.stale).then_some(set.version)
    }

    /// Fetches the keys, and returns the time until they should be fetched again.
    pub(super) async fn refresh(&self) -> Duration {
        self.fetch(Arc::clone(&self.failed).lock_owned().await).await;
        let set = self.set.load();
        if set.younger_than(self.limits.fresh) {
            self.limits.fresh
        } else if set.younger_than(self.limits.stale) {
            self.limits.unknown
        } else {
            self.limits.failed
        }
    }

    /// Returns the key with this id, and fetches the key set first if necessary.
    pub(super) async fn get(self: &Arc<Self>, kid: &str) -> Lookup {
        let set = self.set.load();
        if let Some(key) = set.keys.get(kid) {
            if set.younger_than(self.limits.fresh) {
                return Lookup::Found(Arc::clone(key));
            }
            if set.younger_than(self.limits.stale) {
                // Use the stale key for this request. The request that gets the lock starts a refresh in the background.
                let this = Arc::clone(self);
                if let Ok(guard) = Arc::clone(&self.failed).try_lock_owned() {
                    tokio::spawn(async move { this.fetch(guard).await });
                }
                return Lookup::Found(Arc::clone(key));
            }
        } else if set.younger_than(self.limits.unknown) {
            return Lookup::Unknown;
        }
        drop(set);
        let before = self.set.load().fetched;
        let patience = Instant::now() + self.limits.patience;
        loop {
            let guard = Arc::clone(&self.failed).lock_owned().await;
            if self.set.load().fetched == before {
                // Fetch in a separate task. If this client disconnects, the fetch still completes for the requests that wait.
                let this = Arc::clone(self);
                let _ = tokio::spawn(async move { this.fetch(guard).await }).await;
            }
            let set = self.set.load();
            match set.keys.get(kid) {
                Some(key) if set.younger_than(self.limits.stale) => return Lookup::Found(Arc::clone(key)),
                _ if set.younger_than(self.limits.unknown) => return Lookup::Unknown,
                _ => {}
            }
            // The issuer may be restarting.
            let next = Instant::now() + self.limits.failed;
            if next > patience {
                return Lookup::Unavailable;
            }
            tokio::time::sleep_until(next).await;
        }
    }

    async fn fetch(&self, mut failed: tokio::sync::OwnedMutexGuard<Option<Instant>>) {
        if failed.is_some_and(|at| at.elapsed() < self.limits.failed) {
            return;
        }
        match self.request().await {
            Ok((document, keys)) => {
                *failed = None;
                let known = self.set.load();
                let is_changed = document != known.document;
                if is_changed {
                    tracing::info!(
                        url = self.url,
                        keys = keys.len(),
                        "the keys for access tokens have changed"
                    );
                }
                self.set.store(Arc::new(Set {
                    document,
                    keys,
                    version: known.version + u64::from(is_changed),
                    fetched: Some(Instant::now()),
                }));
            }
            Err(error) => {
                tracing::warn!(
                    url = self.url,
                    error = format!("{error:#}"),
                    "fetching the keys for access tokens failed; will retry"
                );
                *failed = Some(Instant::now());
            }
        }
    }

    /// Requests the key set, and returns it with the usable keys: those with an id and an accepted algorithm. The algorithm
    /// is taken from the key, so that a token cannot make a public key pass as an HMAC secret.
    async fn request(&self) -> anyhow::Result<(JwkSet, HashMap<String, Arc<Key>>)> {
        let send = async || self.client.get()?.get(&self.url).send().await;
        let mut response = send().await;
        // The instance is starting or ending. Requests wait for these keys, and another instance may respond.
        if response.as_ref().is_err_and(|error| !error.is_timeout()) {
            response = send().await;
        }
        let document: JwkSet = response?.error_for_status()?.json().await?;
        let keys = document.keys.iter().filter_map(|jwk| {
            let algorithm = jwk.common.key_algorithm?.to_string().parse().ok()?;
            let key = DecodingKey::from_jwk(jwk).ok()?;
            let id = jwk.common.key_id.clone()?;
            self.algorithms
                .contains(&algorithm)
                .then(|| (id, Arc::new((algorithm, key))))
        });
        let keys: HashMap<_, _> = keys.collect();
        anyhow::ensure!(!keys.is_empty(), "no key has an id and an accepted algorithm");
        Ok((document, keys))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    };

    use axum::{Router, routing::get};
    use http::StatusCode;
    use serde_json::{Value, json};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// An issuer that can become unavailable and rotate its key.
    struct Issuer {
        is_down: Arc<AtomicBool>,
        /// Number of requests that failed because it was unavailable.
        failures: Arc<AtomicUsize>,
        kid: Arc<Mutex<&'static str>>,
        url: String,
    }

    impl Issuer {
        async fn start() -> Self {
            let (is_down, kid) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new("first")));
            let failures = Arc::<AtomicUsize>::default();
            let (down, failed, current) = (Arc::clone(&is_down), Arc::clone(&failures), Arc::clone(&kid));
            let jwks = get(move || {
                let kid = *current.lock().unwrap();
                let jwk =
                    json!({"kty": "OKP", "alg": "EdDSA", "crv": "Ed25519", "kid": kid, "x": "A".repeat(43)});
                let rsa = json!({"kty": "RSA", "alg": "RS256", "kid": "rsa", "n": "AQAB", "e": "AQAB"});
                let response: (StatusCode, axum::Json<Value>) = if down.load(Ordering::SeqCst) {
                    failed.fetch_add(1, Ordering::SeqCst);
                    (StatusCode::BAD_GATEWAY, axum::Json(json!({})))
                } else {
                    (StatusCode::OK, axum::Json(json!({"keys": [rsa, jwk]})))
                };
                async move { response }
            });
            let url = testkit::spawn(Router::new().route("/", jwks)).await;
            Self {
                is_down,
                failures,
                kid,
                url,
            }
        }

        fn keys(&self, fresh: Duration, stale: Duration, unknown: Duration) -> Arc<Keys> {
            self.with_limits(AgeLimits {
                fresh,
                stale,
                unknown,
                failed: Duration::from_millis(1),
                patience: Duration::ZERO,
            })
        }

        fn with_limits(&self, limits: AgeLimits) -> Arc<Keys> {
            Arc::new(Keys::new(self.url.clone(), None, vec![Algorithm::EdDSA], limits))
        }
    }

    #[tokio::test]
    async fn stale_keys_are_used_while_the_issuer_is_unavailable_until_they_are_too_old() {
        let issuer = Issuer::start().await;
        let lenient = issuer.keys(Duration::ZERO, HOUR, HOUR);
        let strict = issuer.keys(Duration::ZERO, Duration::ZERO, HOUR);
        assert!(matches!(lenient.get("first").await, Lookup::Found(_)));
        issuer.is_down.store(true, Ordering::SeqCst);
        assert!(matches!(lenient.get("first").await, Lookup::Found(_)));
        assert!(!matches!(strict.get("first").await, Lookup::Found(_)));
        assert_eq!((lenient.version(), strict.version()), (Some(1), None));
    }

    #[tokio::test]
    async fn a_request_waits_while_the_issuer_restarts() {
        let issuer = Issuer::start().await;
        issuer.is_down.store(true, Ordering::SeqCst);
        let keys = issuer.with_limits(AgeLimits {
            failed: Duration::from_millis(10),
            patience: HOUR,
            ..AgeLimits::default()
        });
        let get = keys.get("first");
        tokio::pin!(get);
        let failed_twice = async {
            while issuer.failures.load(Ordering::SeqCst) < 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            _ = &mut get => panic!("the issuer is down"),
            () = failed_twice => issuer.is_down.store(false, Ordering::SeqCst),
        }
        assert!(matches!(get.await, Lookup::Found(_)));
    }

    #[tokio::test]
    async fn a_connection_that_breaks_is_tried_again() {
        let issuer = Issuer::start().await;
        let address = issuer.url.trim_start_matches("http://").to_owned();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            drop(listener.accept().await.unwrap());
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = tokio::net::TcpStream::connect(address).await.unwrap();
            tokio::io::copy_bidirectional(&mut client, &mut server).await
        });
        let behind = Issuer { url, ..issuer };
        let keys = behind.keys(HOUR, HOUR, HOUR);
        assert!(matches!(keys.get("first").await, Lookup::Found(_)));
    }

    #[tokio::test]
    async fn a_rotated_key_is_found_once_the_unknown_key_interval_has_passed() {
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
        assert_eq!((eager.version(), patient.version()), (Some(2), Some(1)));
        eager.refresh().await;
        assert_eq!(eager.version(), Some(2), "the keys have not changed");
        assert!(
            !matches!(patient.get("rsa").await, Lookup::Found(_)),
            "only keys with an accepted algorithm are used"
        );
    }
}
