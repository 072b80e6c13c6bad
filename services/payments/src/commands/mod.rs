//! Handles the saga's commands from RabbitMQ. Each command takes effect once, even if it is redelivered or delivered
//! concurrently: the inbox detects duplicate messages, the payment's status records the progress, and the provider
//! detects repeated idempotency keys.

mod decide;
mod drive;
mod refund;

use anyhow::Context;
use contracts::saga::{AuthorizePayment, CapturePayment, Message, Outcome, RefundPayment, VoidPayment};
use messaging::{HandleError, Handler, Incoming, Outgoing, inbox, outbox};
use sqlx::{Postgres, Transaction};

use crate::App;

pub(crate) use drive::record_outcome;

/// Handles the queue `payments.commands`.
#[derive(Debug, Clone)]
pub struct Commands {
    app: App,
}

impl Commands {
    /// Creates a handler that uses the service's database and provider.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

impl Handler for Commands {
    const KINDS: &'static [&'static str] = &[
        AuthorizePayment::KIND,
        CapturePayment::KIND,
        VoidPayment::KIND,
        RefundPayment::KIND,
    ];

    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        let app = &self.app;
        match message.kind.as_str() {
            AuthorizePayment::KIND => drive::authorize(app, &message, &message.decode()?).await,
            CapturePayment::KIND => drive::capture(app, &message, &message.decode()?).await,
            VoidPayment::KIND => drive::void(app, &message, &message.decode()?).await,
            RefundPayment::KIND => refund::refund(app, &message, &message.decode()?).await,
            kind => Err(HandleError::Poison(anyhow::anyhow!(
                "payments has no command {kind}"
            ))),
        }
    }
}

/// Wraps an error that a later delivery may not encounter.
fn retry(error: impl Into<anyhow::Error>) -> HandleError {
    HandleError::Retry(error.into())
}

/// Begins a transaction with the message recorded in the inbox. Returns `None` if the message was already replied to; then
/// that reply is sent again.
async fn begin_transaction(
    app: &App,
    message: &Incoming,
) -> Result<Option<Transaction<'static, Postgres>>, HandleError> {
    let mut tx = app.pool.begin().await.map_err(retry)?;
    match inbox::begin(&mut tx, message).await.map_err(retry)? {
        inbox::Seen::Conflict => Err(HandleError::Poison(anyhow::anyhow!(
            "message {} was received before with a different body",
            message.id
        ))),
        inbox::Seen::Duplicate { reply: Some(reply) } => {
            outbox::insert(&mut tx, &[reply]).await.map_err(retry)?;
            commit(app, tx).await?;
            Ok(None)
        }
        // Without a reply, an earlier delivery did not finish. The payment's status determines where to resume.
        inbox::Seen::New | inbox::Seen::Duplicate { reply: None } => Ok(Some(tx)),
    }
}

/// Stores the reply in the inbox and in the outbox, and commits.
async fn reply(
    app: &App,
    mut tx: Transaction<'static, Postgres>,
    message: &Incoming,
    outcome: Outcome,
) -> Result<(), HandleError> {
    let reply = Outgoing::reply(message, outcome);
    inbox::answer(&mut tx, message.id, &reply).await.map_err(retry)?;
    commit(app, tx).await
}

async fn commit(app: &App, tx: Transaction<'static, Postgres>) -> Result<(), HandleError> {
    tx.commit()
        .await
        .context("cannot commit")
        .map_err(HandleError::Retry)?;
    app.outbox.flush_soon();
    Ok(())
}

fn refusal(reason: &str, detail: impl Into<String>) -> Outcome {
    Outcome::Refused {
        reason: reason.into(),
        detail: detail.into(),
    }
}
