//! The commands of the sagas, from the queue to the answer. The answer is published and confirmed before the command is
//! acknowledged: a crash in between brings the command again, and it answers the same.

use std::sync::Arc;

use contracts::saga::{
    CommitStock, Message, Outcome, PinStock, ReleaseStock, ReserveStock, RestockItems, UnpinStock,
};
use messaging::{Broker, HandleError, Handler, Incoming, Outgoing, Poison};

use super::{commit, pin, release, reserve, restock, unpin};
use crate::{
    Error,
    database::{self, Database},
};

/// Handles what comes from the queue of inventory's commands.
pub struct Commands {
    db: Database,
    broker: Arc<Broker>,
}

impl Commands {
    /// A handler that works on `db` and answers by `broker`.
    #[must_use]
    pub fn new(db: Database, broker: Arc<Broker>) -> Self {
        Self { db, broker }
    }
}

impl Handler for Commands {
    const KINDS: &'static [&'static str] = &[
        ReserveStock::KIND,
        ReleaseStock::KIND,
        PinStock::KIND,
        UnpinStock::KIND,
        CommitStock::KIND,
        RestockItems::KIND,
    ];

    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        let outcome = perform(&self.db, &message).await?;
        if let Outcome::Refused { reason, detail } = &outcome {
            tracing::info!(kind = message.kind, reason, detail, "refused");
        }
        self.broker.publish(&Outgoing::reply(&message, outcome)).await?;
        Ok(())
    }
}

/// Does what the command says and tells what came of it.
pub async fn perform(db: &Database, message: &Incoming) -> Result<Outcome, HandleError> {
    /// Decodes the command and runs its function to the end.
    macro_rules! perform {
        ($($command:ident => $function:ident),+ $(,)?) => {
            match message.kind.as_str() {
                $($command::KIND => {
                    let command: $command = message.decode()?;
                    let db = db.clone();
                    database::run_command(async move { $function(&db, &command).await }).await
                })+
                kind => return Err(Poison::Kind(kind.to_owned()).into()),
            }
        };
    }
    let outcome = perform! {
        ReserveStock => reserve,
        ReleaseStock => release,
        PinStock => pin,
        UnpinStock => unpin,
        CommitStock => commit,
        RestockItems => restock,
    };
    outcome.map_err(|error| match error {
        Error::Malformed(_) => HandleError::Poison(error.into()),
        error => HandleError::Retry(error.into()),
    })
}
