//! An issuer's public keys (RFC 7517): fetched by one task, read by every core. They are refreshed every 10 min, used
//! for at most an hour when the issuer is away, and asked for early, at most once in 30 s, when a token names an unknown
//! one.

use std::{collections::HashMap, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use jsonwebtoken::{Algorithm, DecodingKey, jwk::JwkSet};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_mins(10);
const STALE: Duration = Duration::from_hours(1);
const EARLY: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_millis(500);
/// How long a request waits for an early fetch.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a set of keys can verify.
pub type KeyMap = HashMap<String, (Algorithm, DecodingKey)>;

/// The keys of one issuer.
#[derive(Debug)]
pub struct Keys {
    url: String,
    algorithms: Vec<Algorithm>,
    current: ArcSwapOption<KeyMap>,
    wanted: Notify,
    /// When they were last asked for; `None` until the first time.
    asked: watch::Sender<Option<Instant>>,
}

impl Keys {
    /// Not fetched yet.
    #[must_use]
    pub fn new(url: &str, algorithms: &[Algorithm]) -> Self {
        Self {
            url: url.to_owned(),
            algorithms: algorithms.to_vec(),
            current: ArcSwapOption::empty(),
            wanted: Notify::new(),
            asked: watch::Sender::new(None),
        }
    }

    /// The keys, if they are known and not too old.
    #[must_use]
    pub fn current(&self) -> Option<Arc<KeyMap>> {
        self.current.load_full()
    }

    /// Has them fetched again, unless that was just done, and waits for it.
    pub async fn refetch(&self) {
        let mut asked = self.asked.subscribe();
        let recent = asked
            .borrow_and_update()
            .is_some_and(|asked| asked.elapsed() < EARLY);
        if !recent {
            self.wanted.notify_one();
            // Past that, the token is judged by the keys that are there.
            let _ = tokio::time::timeout(PATIENCE, asked.changed()).await;
        }
    }

    /// Keeps the keys up to date; `changed` runs after every change of them.
    pub async fn run(&self, changed: impl Fn() + Send, stop: CancellationToken) {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()
            .unwrap_or_default();
        let mut good = Instant::now();
        let mut known = JwkSet { keys: Vec::new() };
        loop {
            let mut pause = if self.current.load().is_some() {
                EARLY
            } else {
                RETRY
            };
            match self.fetch(&client).await {
                Ok((set, keys)) => {
                    (good, pause) = (Instant::now(), EVERY);
                    if set != known {
                        tracing::info!(url = self.url, keys = keys.len(), "token keys changed");
                        known = set;
                        self.current.store(Some(Arc::new(keys)));
                        changed();
                    }
                }
                Err(error) => {
                    tracing::warn!(
                        url = self.url,
                        error = &*error as &dyn std::error::Error,
                        "cannot fetch token keys"
                    );
                    if good.elapsed() > STALE {
                        known.keys.clear();
                        self.current.store(None);
                        changed();
                    }
                }
            }
            self.asked.send_replace(Some(Instant::now()));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.wanted.notified() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn fetch(
        &self,
        client: &reqwest::Client,
    ) -> Result<(JwkSet, KeyMap), Box<dyn std::error::Error + Send + Sync>> {
        let set: JwkSet = client
            .get(&self.url)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let mut keys = KeyMap::new();
        for jwk in &set.keys {
            // The algorithm comes from the key, so that a token cannot have a public key taken for an HMAC secret.
            let algorithm = jwk
                .common
                .key_algorithm
                .and_then(|algorithm| algorithm.to_string().parse().ok());
            let (Some(id), Some(algorithm)) = (&jwk.common.key_id, algorithm) else {
                continue;
            };
            if self.algorithms.contains(&algorithm) {
                keys.insert(id.clone(), (algorithm, DecodingKey::from_jwk(jwk)?));
            }
        }
        if keys.is_empty() {
            return Err("the set has no key of an accepted algorithm".into());
        }
        Ok((set, keys))
    }
}
