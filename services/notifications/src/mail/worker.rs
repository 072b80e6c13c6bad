//! Sends what is due. Every replica may run it: a mail is claimed before it is sent.

use std::{error::Error, time::Duration};

use futures::future::join_all;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, warn};

use super::{
    Sender,
    store::{self, Due},
};
use crate::metrics;

/// How often due mails are looked for.
const POLL: Duration = Duration::from_secs(1);

/// How often what waits is counted.
const COUNT: Duration = Duration::from_secs(5);

/// Shows what waits on `/metrics` until `shutdown`, also where nobody sends it.
pub async fn watch(pool: PgPool, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = count(&pool).await {
            warn!(error = &error as &dyn Error, "cannot count mails");
        }
        shutdown.run_until_cancelled(tokio::time::sleep(COUNT)).await;
    }
}

/// Counts what waits, once.
pub async fn count(pool: &PgPool) -> sqlx::Result<()> {
    let (pending, oldest) = store::waiting(&mut *pool.acquire().await?).await?;
    metrics::waiting(pending, oldest);
    Ok(())
}

/// The worker.
#[derive(Debug)]
pub struct MailWorker {
    pool: PgPool,
    sender: Sender,
}

impl MailWorker {
    /// Sends by `sender` what waits in the database behind `pool`.
    #[must_use]
    pub fn new(pool: PgPool, sender: Sender) -> Self {
        Self { pool, sender }
    }

    /// Works until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match self.run_once().await {
                // At once, if there may be more.
                Ok(10..) => Duration::ZERO,
                Ok(_) => POLL,
                Err(error) => {
                    warn!(error = &error as &dyn Error, "cannot look for mails");
                    POLL
                }
            };
            shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    /// Tries each that is due, at most ten; how many there were.
    pub async fn run_once(&self) -> sqlx::Result<usize> {
        let due = store::claim(&mut *self.pool.acquire().await?).await?;
        for sent in join_all(due.iter().map(|mail| self.send(mail))).await {
            sent?;
        }
        Ok(due.len())
    }

    async fn send(&self, mail: &Due) -> sqlx::Result<()> {
        // In the trace of what it tells of: it is the end of what began with a click.
        let span = mail.trace().follow(mail.age(), || self.sender.span(&mail.kind));
        let recipient = mail.recipient();
        let sent = self
            .sender
            .send(mail.id, &mail.content, &recipient, mail.age())
            .instrument(span.clone())
            .await;
        let (outcome, status) = match &sent {
            Ok(()) => ("sent", Some("sent")),
            Err(error) if error.is_final() => ("failed", Some("failed")),
            Err(_) => ("retried", None),
        };
        if let Err(error) = sent {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", error.kind());
            span.in_scope(
                || warn!(error = &error as &dyn Error, id = %mail.id, kind = mail.kind, outcome, "a mail is not sent"),
            );
        }
        drop(span);
        if let Some(status) = status {
            store::settle(&mut *self.pool.acquire().await?, mail.id, status).await?;
        }
        metrics::mail(&mail.kind, outcome);
        Ok(())
    }
}
