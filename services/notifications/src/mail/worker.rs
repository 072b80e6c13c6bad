//! Sends mails that are due. Every replica may run a worker, because a mail is claimed before it is sent.

use std::{error::Error, time::Duration};

use futures::future::join_all;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, warn};

use super::{
    Sender,
    store::{self, DueMail},
};
use crate::metrics;

/// Interval at which due mails are queried.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Interval at which unsent mails are counted for the metrics.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// Updates the metrics about unsent mails until `shutdown` is cancelled, even if no mail server is configured.
pub async fn watch(pool: PgPool, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = count(&pool).await {
            warn!(
                error = &error as &dyn Error,
                "counting unsent mails failed; will retry in 5 s"
            );
        }
        shutdown
            .run_until_cancelled(tokio::time::sleep(COUNT_INTERVAL))
            .await;
    }
}

/// Counts the unsent mails once and updates the metrics.
pub async fn count(pool: &PgPool) -> sqlx::Result<()> {
    let (pending, oldest) = store::pending(&mut *pool.acquire().await?).await?;
    metrics::set_pending(pending, oldest);
    Ok(())
}

/// Sends due mails from the database.
#[derive(Debug)]
pub struct MailWorker {
    pool: PgPool,
    sender: Sender,
}

impl MailWorker {
    /// Creates a worker that sends mails from the database of `pool` with `sender`.
    #[must_use]
    pub fn new(pool: PgPool, sender: Sender) -> Self {
        Self { pool, sender }
    }

    /// Sends due mails until `shutdown` is cancelled.
    pub async fn run(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match self.run_once().await {
                // A full batch: there may be more, so continue immediately.
                Ok(10..) => Duration::ZERO,
                Ok(_) => POLL_INTERVAL,
                Err(error) => {
                    warn!(
                        error = &error as &dyn Error,
                        "querying or updating mails failed; will retry in 1 s"
                    );
                    POLL_INTERVAL
                }
            };
            shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    /// Tries to send each due mail, at most ten, and returns their number.
    pub async fn run_once(&self) -> sqlx::Result<usize> {
        let due = store::claim(&mut *self.pool.acquire().await?).await?;
        for sent in join_all(due.iter().map(|mail| self.send(mail))).await {
            sent?;
        }
        Ok(due.len())
    }

    async fn send(&self, mail: &DueMail) -> sqlx::Result<()> {
        // The mail belongs to the trace of the event that caused it.
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
                || warn!(error = &error as &dyn Error, id = %mail.id, kind = mail.kind, outcome, "a mail could not be sent"),
            );
        }
        drop(span);
        if let Some(status) = status {
            store::settle(&mut *self.pool.acquire().await?, mail.id, status).await?;
        }
        metrics::count_mail(&mail.kind, outcome);
        Ok(())
    }
}
