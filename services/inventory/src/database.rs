//! The MongoDB database with its collections. All work on it goes through [`run`], because the driver's futures must not
//! be dropped half-way: a client that hangs up would leave a connection in the middle of an answer.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bson::{DateTime, doc};
use mongodb::{
    Client, Collection,
    event::{EventHandler, command::CommandEvent},
    options::{Acknowledgment, ClientOptions, WriteConcern},
};
use telemetry::db::{self, Call};
use tracing::Instrument as _;

use crate::{
    Error,
    products::ProductDocument,
    stock::{Movement, Stock},
};

/// How long a client of HTTP or gRPC waits before it gets 503; reliability.md allows 5 s.
const CLIENT_LIMIT: Duration = Duration::from_secs(4);
/// How long a command from the queue, or background work, may take. Nobody is waiting at the other end of a connection, so
/// a slow database makes it late, not impossible. The limit only ends what would hang for ever.
const COMMAND_LIMIT: Duration = Duration::from_mins(1);
/// How long to look for a server. The driver tries reads twice, so twice this stays below [`CLIENT_LIMIT`].
const SELECTION: Duration = Duration::from_millis(1_500);
/// How long connecting, and each of the driver's own checks of the server, may take. Longer than the delay of a slow server:
/// the driver uses no server whose check it has given up.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Connections at most; as many as one consumer's prefetch, and few enough for a small server.
const POOL: u32 = 32;

/// The collections of inventory.
#[derive(Clone, Debug)]
pub struct Database {
    raw: mongodb::Database,
    tells: bool,
    /// What is sold.
    pub products: Collection<ProductDocument>,
    /// One document a SKU: units and holds.
    pub stock: Collection<Stock>,
    /// The ledger of units, and the tombstones of orders.
    pub movements: Collection<Movement>,
    /// The categories of the catalog.
    pub categories: Collection<crate::products::CategoryDocument>,
}

impl Database {
    /// Prepares connections to the server of `url`, whose path names the database. Nothing is connected yet, so this
    /// does not fail because the server is away.
    pub async fn new(url: &str) -> Result<Self, mongodb::error::Error> {
        let mut options = ClientOptions::parse(url).await?;
        options.app_name = Some("inventory".to_owned());
        options.server_selection_timeout = Some(SELECTION);
        options.connect_timeout = Some(CONNECT_LIMIT);
        options.write_concern = Some(durable());
        options.max_pool_size = Some(POOL);
        options.command_event_handler = Some(observer());
        let name = options
            .default_database
            .clone()
            .unwrap_or_else(|| "inventory".to_owned());
        Ok(Self::of(Client::with_options(options)?.database(&name)))
    }

    /// The collections in a database that is already connected.
    #[must_use]
    pub fn of(database: mongodb::Database) -> Self {
        Self {
            products: database.collection("products"),
            stock: database.collection("stock"),
            movements: database.collection("movements"),
            categories: database.collection("categories"),
            raw: database,
            tells: false,
        }
    }

    /// The same, where what happens is told on Kafka if there `is_kafka`.
    #[must_use]
    pub fn telling(self, is_kafka: bool) -> Self {
        Self {
            tells: is_kafka,
            ..self
        }
    }

    /// Whether what happens is told on Kafka.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.tells
    }

    /// The database itself, for migrations and tests.
    #[must_use]
    pub fn raw(&self) -> &mongodb::Database {
        &self.raw
    }

    /// The clock of the database: the only one that decides over holds.
    pub async fn now(&self) -> Result<DateTime, Error> {
        let hello = self.raw.run_command(doc! {"hello": 1}).await?;
        hello
            .get_datetime("localTime")
            .copied()
            .map_err(|_| Error::Malformed("the server does not tell its time"))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        let database = self.raw.clone();
        run(async move {
            database.run_command(doc! {"ping": 1}).await?;
            Ok(())
        })
        .await
    }
}

/// What every write asks for: it is acknowledged once a majority of the servers has it in its journal on disk. Otherwise a
/// server that is killed loses what it acknowledged since it last wrote its journal, up to 100 ms before.
#[must_use]
pub(crate) fn durable() -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .build()
}

/// Tells the telemetry of every command. The collection is in the event of its start, and kept only if a trace wants it.
fn observer() -> EventHandler<CommandEvent> {
    let started = Mutex::new(HashMap::<i32, String>::new());
    EventHandler::callback(move |event| {
        let lock = || started.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, id, elapsed, error) = match event {
            CommandEvent::Started(event) => {
                let collection = event.command.get_str(&event.command_name);
                if let (Ok(collection), true) = (collection, db::is_recorded()) {
                    lock().insert(event.request_id, collection.to_owned());
                }
                return;
            }
            CommandEvent::Succeeded(event) => (event.command_name, event.request_id, event.duration, None),
            CommandEvent::Failed(event) => (
                event.command_name,
                event.request_id,
                event.duration,
                Some("command failed"),
            ),
            _ => return,
        };
        let collection = lock().remove(&id);
        db::record(&Call {
            system: "mongodb",
            operation: &name,
            collection: collection.as_deref(),
            text: None,
            elapsed,
            error,
        });
    })
}

/// Runs database work for a client that waits: as a task of its own, to its end whatever becomes of the client, who waits
/// at most 4 s for it.
pub async fn run<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    run_within(CLIENT_LIMIT, work).await
}

/// The same for a command from the queue and for background work, with a limit of one minute.
pub async fn run_command<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    run_within(COMMAND_LIMIT, work).await
}

async fn run_within<T: Send + 'static>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, tokio::spawn(work.in_current_span())).await {
        Ok(Ok(result)) => result,
        Ok(Err(panicked)) => Err(Error::Task(panicked)),
        Err(_) => Err(Error::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use super::{Database, durable};

    #[tokio::test]
    async fn every_collection_asks_for_journaled_writes_whatever_the_url_says() {
        let db = Database::new("mongodb://127.0.0.1:1/inventory?directConnection=true&w=1&journal=false")
            .await
            .unwrap();
        let concerns = [
            db.products.write_concern(),
            db.stock.write_concern(),
            db.movements.write_concern(),
            db.categories.write_concern(),
            db.raw().write_concern(),
        ];
        for concern in concerns {
            assert_eq!(concern, Some(&durable()));
        }
    }
}
