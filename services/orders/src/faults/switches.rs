//! The switches as this process knows them: read from the database by a task, so that whoever asks for one asks memory.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use contracts::saga::queues;
use messaging::Outgoing;
use souk_http::Problem;
use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    Fault,
    store::{self, On},
};

/// Between two looks at the table.
const LOOK: Duration = Duration::from_millis(500);
/// How often a duplicated command is sent.
const COPIES: u16 = 3;

/// The fault switches; none outside demo mode.
#[derive(Debug, Clone)]
pub struct Faults(Option<Arc<Switches>>);

#[derive(Debug)]
struct Switches {
    pool: PgPool,
    on: RwLock<Vec<On>>,
}

impl Faults {
    /// Of the database behind `pool`, in demo mode.
    #[must_use]
    pub fn new(pool: PgPool, demo: bool) -> Self {
        let on = RwLock::default();
        Self(demo.then(|| Arc::new(Switches { pool, on })))
    }

    /// Follows what is set on any replica until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        while self.0.is_some() {
            if let Err(error) = self.refresh().await {
                warn!(%error, "the fault switches stay as they are");
            }
            if shutdown.run_until_cancelled(sleep(LOOK)).await.is_none() {
                return;
            }
        }
    }

    /// Reads them now. In [`Self::run`] and by tests.
    pub async fn refresh(&self) -> sqlx::Result<()> {
        if let Some(switches) = &self.0 {
            let on = store::active(&switches.pool).await?;
            *switches.on.write().unwrap_or_else(PoisonError::into_inner) = on;
        }
        Ok(())
    }

    /// Whether this is broken now.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        self.0.as_ref().is_some_and(|switches| {
            let on = switches.on.read().unwrap_or_else(PoisonError::into_inner);
            on.iter().any(|on| on.fault == fault)
        })
    }

    /// What is broken now.
    pub(super) fn active(&self) -> Vec<On> {
        self.0.as_ref().map_or_else(Vec::new, |switches| {
            switches.on.read().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    /// 404 outside demo mode: there is nothing to see or to set.
    pub(super) fn in_demo_mode(&self) -> Result<(), Problem> {
        self.0.as_ref().map(|_| ()).ok_or_else(|| {
            Problem::new(
                axum::http::StatusCode::NOT_FOUND,
                "not-in-demo-mode",
                "There are fault switches in demo mode only.",
            )
        })
    }

    /// What becomes of a command that is to be sent.
    pub(crate) fn on(&self, command: Outgoing) -> Sending {
        let lost = match command.queue.as_str() {
            queues::INVENTORY => self.has(Fault::InventoryUnreachable),
            queues::PAYMENTS => self.has(Fault::PaymentsUnreachable),
            _ => false,
        };
        let copies = if lost {
            warn!(kind = command.kind, saga_id = %command.correlation_id, "a fault switch loses a command");
            0
        } else if self.has(Fault::CommandsDuplicated) {
            COPIES
        } else {
            1
        };
        Sending { command, copies }
    }
}

/// A command, and how often it is put into the outbox: once, unless a switch is on.
#[derive(Debug, Clone)]
pub(crate) struct Sending {
    pub(crate) command: Outgoing,
    pub(crate) copies: u16,
}
