//! Requests that this process is working on. A repetition that arrives meanwhile gets 409 at once. It is a courtesy, not what
//! makes a request count once: another replica does not know of it, and there the update of the stock document decides.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The keys of the requests in flight.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<String>>>);

/// Ends a request when it is dropped.
#[derive(Debug)]
pub struct Entered {
    all: InFlight,
    key: String,
}

impl InFlight {
    /// Begins the request with that key. None while another one with the same key is in flight.
    #[must_use]
    pub fn enter(&self, key: &str) -> Option<Entered> {
        self.keys().insert(key.to_owned()).then(|| Entered {
            all: self.clone(),
            key: key.to_owned(),
        })
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.all.keys().remove(&self.key);
    }
}
