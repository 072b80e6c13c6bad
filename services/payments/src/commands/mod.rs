//! The saga's commands from RabbitMQ. Each has its effect once, however often it is delivered and by how many workers
//! at a time: the inbox knows the message, the payment's state knows the work, and the provider knows the key.

mod decide;
mod drive;
mod refund;

use anyhow::Context;
use contracts::saga::{AuthorizePayment, CapturePayment, Message, Outcome, RefundPayment, VoidPayment};
use messaging::{HandleError, Handler, Incoming, Outgoing, inbox, outbox};
use sqlx::{Postgres, Transaction};

use crate::App;

pub(crate) use drive::settle;

/// Handles the queue `payments.commands`.
#[derive(Debug, Clone)]
pub struct Commands {
    app: App,
}

impl Commands {
    /// Over the service's state.
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

/// Anything that a later delivery may not meet again.
fn retry(error: impl Into<anyhow::Error>) -> HandleError {
    HandleError::Retry(error.into())
}

/// Opens a transaction in which the message is known to be in the inbox; `None` when it was answered before, and now
/// once more.
async fn open(app: &App, message: &Incoming) -> Result<Option<Transaction<'static, Postgres>>, HandleError> {
    let mut tx = app.pool.begin().await.map_err(retry)?;
    match inbox::begin(&mut tx, message).await.map_err(retry)? {
        inbox::Seen::Conflict => Err(HandleError::Poison(anyhow::anyhow!(
            "message {} came with another body before",
            message.id
        ))),
        inbox::Seen::Duplicate { reply: Some(reply) } => {
            outbox::insert(&mut tx, &[reply]).await.map_err(retry)?;
            commit(app, tx).await?;
            Ok(None)
        }
        // Without a reply, an earlier delivery began and did not finish: the state says where to go on.
        inbox::Seen::New | inbox::Seen::Duplicate { reply: None } => Ok(Some(tx)),
    }
}

/// Stores the reply with the message and in the outbox, and commits.
async fn answer(
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

fn refused(reason: &str, detail: impl Into<String>) -> Outcome {
    Outcome::Refused {
        reason: reason.into(),
        detail: detail.into(),
    }
}
