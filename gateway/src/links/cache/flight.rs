//! Lets only one of several equal requests reach the upstream. The others wait until its response is stored.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::Key;

/// After a response could not be stored, requests for the same response do not wait for each other for this time.
const NOT_SHARED: Duration = Duration::from_secs(30);
/// Maximum number of requests that are remembered as having such a response.
const REMEMBERED: usize = 10_000;

/// The requests that others wait for.
#[derive(Debug)]
pub(super) struct Flights(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    running: Mutex<HashMap<Key, watch::Receiver<()>>>,
    not_shared: quick_cache::sync::Cache<Key, Instant>,
}

/// A request that others wait for, until this is dropped.
#[derive(Debug)]
pub(super) struct Flight {
    key: Key,
    shared: Arc<Shared>,
    _ends: watch::Sender<()>,
}

/// What a request does next.
pub(super) enum Turn<F> {
    /// It goes to the upstream, and others wait for it.
    First(Flight),
    /// It goes to the upstream, because the response is probably one that cannot be shared.
    NotShared,
    /// It waits for another one.
    Wait(F),
}

impl Default for Flights {
    fn default() -> Self {
        Self(Arc::new(Shared {
            running: Mutex::default(),
            not_shared: quick_cache::sync::Cache::new(REMEMBERED),
        }))
    }
}

impl Flights {
    /// Decides what a request does.
    pub(super) fn join(&self, key: &Key) -> Turn<impl Future<Output = ()> + Send + use<>> {
        if self
            .0
            .not_shared
            .get(key)
            .is_some_and(|until| until > Instant::now())
        {
            return Turn::NotShared;
        }
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.get(key) {
            let mut running = running.clone();
            return Turn::Wait(async move {
                // No value is ever sent; the wait ends with an error when the other request ends.
                while running.changed().await.is_ok() {}
            });
        }
        let (ends, receiver) = watch::channel(());
        running.insert(key.clone(), receiver);
        Turn::First(Flight {
            key: key.clone(),
            shared: Arc::clone(&self.0),
            _ends: ends,
        })
    }
}

impl Flight {
    /// Lets the next requests for this response pass without waiting, because it cannot be stored.
    pub(super) fn mark_not_shared(self) {
        self.shared
            .not_shared
            .insert(self.key.clone(), Instant::now() + NOT_SHARED);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.key);
    }
}
