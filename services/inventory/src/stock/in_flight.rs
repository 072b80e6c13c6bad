//! The adjustment requests that this process is handling. A repeated request gets 409 immediately while the first is in
//! flight. This does not guarantee that a request takes effect once, because other replicas do not see it; the conditional
//! update of the stock document does.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The idempotency keys of the requests in flight. Clones share the same set.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<String>>>);

/// Removes its key from the requests in flight when it is dropped.
#[derive(Debug)]
pub struct InFlightGuard {
    all: InFlight,
    key: String,
}

impl InFlight {
    /// Adds the key of a request, or returns `None` if a request with the same key is in flight.
    #[must_use]
    pub fn begin(&self, key: &str) -> Option<InFlightGuard> {
        self.keys().insert(key.to_owned()).then(|| InFlightGuard {
            all: self.clone(),
            key: key.to_owned(),
        })
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.all.keys().remove(&self.key);
    }
}
