//! A copy of the fault switches in memory. A task refreshes it from the database, so that checking a switch needs no query.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use souk_http::Problem;
use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    Fault,
    store::{self, ActiveSwitch},
};

/// Interval between two polls of the table.
const POLL: Duration = Duration::from_millis(500);

/// The fault switches; outside demo mode all of them are off.
#[derive(Debug, Clone)]
pub struct Faults(Option<Arc<Switches>>);

#[derive(Debug)]
struct Switches {
    pool: PgPool,
    on: RwLock<Vec<ActiveSwitch>>,
}

impl Faults {
    /// Uses the switches in the database behind `pool` if `demo` is true, and none otherwise.
    #[must_use]
    pub fn new(pool: PgPool, demo: bool) -> Self {
        let on = RwLock::default();
        Self(demo.then(|| Arc::new(Switches { pool, on })))
    }

    /// Polls the switches, which any replica may set, until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        while self.0.is_some() {
            if let Err(error) = self.refresh().await {
                warn!(%error, "reading the fault switches failed; the previous values stay in use");
            }
            if shutdown.run_until_cancelled(sleep(POLL)).await.is_none() {
                return;
            }
        }
    }

    /// Reads the switches now.
    pub async fn refresh(&self) -> sqlx::Result<()> {
        if let Some(switches) = &self.0 {
            let on = store::active(&switches.pool).await?;
            *switches.on.write().unwrap_or_else(PoisonError::into_inner) = on;
        }
        Ok(())
    }

    /// Whether this fault is on.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        self.0.as_ref().is_some_and(|switches| {
            let on = switches.on.read().unwrap_or_else(PoisonError::into_inner);
            on.iter().any(|on| on.fault == fault)
        })
    }

    /// The faults that are on.
    pub(super) fn active(&self) -> Vec<ActiveSwitch> {
        self.0.as_ref().map_or_else(Vec::new, |switches| {
            switches.on.read().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    /// Fails with 404 outside demo mode, where no switch can be read or set.
    pub(super) fn require_demo_mode(&self) -> Result<(), Problem> {
        self.0.as_ref().map(|_| ()).ok_or_else(|| {
            Problem::new(
                axum::http::StatusCode::NOT_FOUND,
                "not-in-demo-mode",
                "Fault switches exist in demo mode only.",
            )
        })
    }
}
