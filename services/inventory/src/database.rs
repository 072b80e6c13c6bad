//! The MongoDB database with its collections. All database work runs through [`run`] or [`run_command`], because the
//! driver's futures must not be dropped half-way: a disconnecting client would leave a connection in the middle of a reply.

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

/// Timeout of database work for HTTP and gRPC requests, after which the response is 503. It stays below the 5 s that the
/// design allows for an error response.
const CLIENT_LIMIT: Duration = Duration::from_secs(4);
/// Timeout of saga commands and background work. No client is waiting on a connection, so a slow database only delays
/// them; the limit only stops work that would hang forever.
const COMMAND_LIMIT: Duration = Duration::from_mins(1);
/// Timeout for finding a server. The driver tries reads twice, so twice this must stay below [`CLIENT_LIMIT`].
const SERVER_SELECTION_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Timeout for connecting and for the driver's own server checks. It must exceed the latency of a slow server, because the
/// driver does not use a server whose check timed out.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of connections. It equals the consumer's prefetch and is small enough for a small server.
const MAX_CONNECTIONS: u32 = 32;

/// The MongoDB database of inventory and its collections. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Database {
    raw: mongodb::Database,
    publishes_events: bool,
    /// The products of the catalog, one document per SKU.
    pub products: Collection<ProductDocument>,
    /// The stock: one document per SKU with its units, holds and journal.
    pub stock: Collection<Stock>,
    /// The ledger of stock movements, including the tombstones of closed orders.
    pub movements: Collection<Movement>,
    /// The categories of the catalog.
    pub categories: Collection<crate::products::CategoryDocument>,
}

impl Database {
    /// Prepares connections to the server of `url`, whose path names the database (default `inventory`). It does not connect
    /// yet, so it succeeds even while the server is down. Fails on an invalid URL.
    pub async fn new(url: &str) -> Result<Self, mongodb::error::Error> {
        let mut options = ClientOptions::parse(url).await?;
        options.app_name = Some("inventory".to_owned());
        options.server_selection_timeout = Some(SERVER_SELECTION_TIMEOUT);
        options.connect_timeout = Some(CONNECT_TIMEOUT);
        options.write_concern = Some(durable());
        options.max_pool_size = Some(MAX_CONNECTIONS);
        options.command_event_handler = Some(observer());
        let name = options
            .default_database
            .clone()
            .unwrap_or_else(|| "inventory".to_owned());
        Ok(Self::of(Client::with_options(options)?.database(&name)))
    }

    /// Uses the collections of an existing connection, without recording events.
    #[must_use]
    pub fn of(database: mongodb::Database) -> Self {
        Self {
            products: database.collection("products"),
            stock: database.collection("stock"),
            movements: database.collection("movements"),
            categories: database.collection("categories"),
            raw: database,
            publishes_events: false,
        }
    }

    /// Sets whether changes are recorded as domain events for Kafka; the default is false.
    #[must_use]
    pub fn with_events(self, publishes_events: bool) -> Self {
        Self {
            publishes_events,
            ..self
        }
    }

    /// Whether changes are recorded as domain events for Kafka.
    #[must_use]
    pub fn publishes_events(&self) -> bool {
        self.publishes_events
    }

    /// The underlying driver handle, for migrations, raw commands and tests.
    #[must_use]
    pub fn raw(&self) -> &mongodb::Database {
        &self.raw
    }

    /// The current time of the database server. Only this clock decides when a hold expires.
    pub async fn now(&self) -> Result<DateTime, Error> {
        let hello = self.raw.run_command(doc! {"hello": 1}).await?;
        hello
            .get_datetime("localTime")
            .copied()
            .map_err(|_| Error::Malformed("the server's reply has no local time"))
    }

    /// Checks that the database responds; fails if it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        let database = self.raw.clone();
        run(async move {
            database.run_command(doc! {"ping": 1}).await?;
            Ok(())
        })
        .await
    }
}

/// The write concern of every write: it is acknowledged once a majority of the servers has written it to its on-disk
/// journal. Without it, a killed server would lose acknowledged writes of up to the last 100 ms.
#[must_use]
pub(crate) fn durable() -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .build()
}

/// Records every database command in traces and metrics. Only the start event contains the collection name, so it is kept
/// until the command ends if the current trace is recorded.
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

/// Runs database work for a waiting client in a task of its own, so that it completes even if the client disconnects. Fails
/// with [`Error::TimedOut`] after 4 s; the task continues.
pub async fn run<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    run_within(CLIENT_LIMIT, work).await
}

/// Runs database work for a saga command or a background job, like [`run`] but with a limit of one minute.
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
    async fn every_collection_uses_journaled_writes_regardless_of_the_url() {
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
