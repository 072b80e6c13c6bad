//! Handles saga commands and publishes their replies. A reply is published and confirmed before its command is
//! acknowledged. After a crash in between, the command is redelivered and gets the same reply.

use std::sync::Arc;

use contracts::saga::{
    CommitStock, Message, Outcome, PinStock, ReleaseStock, ReserveStock, ReserveStockV1, RestockItems,
    UnpinStock,
};
use messaging::{Broker, HandleError, Handler, Incoming, Outgoing, Poison};

use super::{commit, pin, release, reserve, restock, unpin};
use crate::{
    Error,
    database::{self, Database},
};

/// The message handler for inventory's command queue.
pub struct Commands {
    db: Database,
    broker: Arc<Broker>,
}

impl Commands {
    /// Creates a handler that works on `db` and publishes replies through `broker`.
    #[must_use]
    pub fn new(db: Database, broker: Arc<Broker>) -> Self {
        Self { db, broker }
    }
}

impl Handler for Commands {
    const KINDS: &'static [&'static str] = &[
        ReserveStock::KIND,
        ReserveStockV1::KIND,
        ReleaseStock::KIND,
        PinStock::KIND,
        UnpinStock::KIND,
        CommitStock::KIND,
        RestockItems::KIND,
    ];

    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        let outcome = perform(&self.db, &message).await?;
        if let Outcome::Refused { reason, detail } = &outcome {
            tracing::info!(kind = message.kind, reason, detail, "refused the command");
        }
        self.broker.publish(&Outgoing::reply(&message, outcome)).await?;
        Ok(())
    }
}

/// Executes one command and returns its outcome. Malformed commands and commands that contradict earlier ones are poison;
/// other errors are retried.
pub async fn perform(db: &Database, message: &Incoming) -> Result<Outcome, HandleError> {
    /// Decodes the command and runs its function to completion.
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
        ReserveStockV1 => reserve_v1,
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

/// Executes a reservation of an orders service of the previous version.
async fn reserve_v1(db: &Database, command: &ReserveStockV1) -> Result<Outcome, Error> {
    reserve(db, &command.clone().into()).await
}
