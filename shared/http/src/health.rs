//! Liveness and readiness: `/healthz` answers 200 while the process runs, `/readyz` only while everything it needs works. A
//! process that is draining is alive but not ready, so that it receives no new requests.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use futures::future::{BoxFuture, FutureExt, join_all};
use sqlx::PgPool;

use crate::{FieldError, Json, Problem};

type Check = (
    &'static str,
    Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>,
);

/// The readiness checks of a process, and whether it is draining. Clones share the draining state.
#[derive(Clone, Default)]
pub struct Health {
    checks: Vec<Check>,
    draining: Arc<AtomicBool>,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.checks.iter().map(|(name, _)| name).collect();
        f.debug_struct("Health")
            .field("checks", &names)
            .finish_non_exhaustive()
    }
}

impl Health {
    /// Creates a readiness state without checks, which is always ready until it drains.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check with a time limit of 2 seconds. `/readyz` reports its failure under `name`.
    #[must_use]
    pub fn check<F, E>(mut self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error>,
    {
        let check = move || check().map(|result| result.map_err(Into::into)).boxed();
        self.checks.push((name, Arc::new(check)));
        self
    }

    /// Adds the check `postgres`, which runs a trivial query.
    #[must_use]
    pub fn postgres(self, pool: &PgPool) -> Self {
        self.postgres_as("postgres", pool)
    }

    /// Like [`Health::postgres`], but with a name, for processes with several databases.
    #[must_use]
    pub fn postgres_as(self, name: &'static str, pool: &PgPool) -> Self {
        let pool = pool.clone();
        self.check(name, move || {
            let pool = pool.clone();
            async move { sqlx::query("SELECT 1").execute(&pool).await.map(|_| ()) }
        })
    }

    /// Makes `/readyz` answer 503 from now on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Returns a router with the routes `/healthz` and `/readyz`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .with_state(self)
    }

    async fn failures(&self) -> Vec<FieldError> {
        let runs = self.checks.iter().map(|(name, check)| async move {
            let detail = match tokio::time::timeout(Duration::from_secs(2), check()).await {
                Ok(Ok(())) => return None,
                Ok(Err(error)) => {
                    tracing::warn!(check = name, error = %format!("{error:#}"), "readiness check failed");
                    "is not working"
                }
                Err(_) => "did not respond within 2 seconds",
            };
            Some(FieldError::new(format!("/{name}"), detail))
        });
        join_all(runs).await.into_iter().flatten().collect()
    }
}

async fn healthz() -> impl IntoResponse {
    Json(serde_json::json!({"status": "ok"}))
}

async fn readyz(State(health): State<Health>) -> Result<impl IntoResponse, Problem> {
    if health.draining.load(Ordering::Relaxed) {
        return Err(Problem::unavailable("The process is shutting down."));
    }
    let failures = health.failures().await;
    if failures.is_empty() {
        Ok(Json(serde_json::json!({"status": "ready"})))
    } else {
        Err(Problem::unavailable("A dependency of this process is unavailable.").errors(failures))
    }
}
