//! Saga commands over a real broker, including commands that cannot be executed.

use std::{sync::Arc, time::Duration};

use contracts::{
    CommandId, OrderId, SagaId,
    saga::{Command, Message as _, Outcome, PinStock, ReleaseStock, Reply, ReserveStock, queues},
};
use inventory::{
    database::Database,
    holds::{Commands, perform},
};
use messaging::{Broker, DEAD_LETTERS, HandleError, Handler, Incoming, Outgoing};
use telemetry::TraceContext;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{done, items, reason, shelf};

/// Forwards received messages to a channel.
struct Collect(mpsc::UnboundedSender<Incoming>);

impl Handler for Collect {
    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        self.0
            .send(message)
            .map_err(|error| HandleError::Retry(error.into()))
    }
}

/// The messages received from one queue.
struct Inbox(Mutex<mpsc::UnboundedReceiver<Incoming>>);

impl Inbox {
    fn of(broker: &Arc<Broker>, queue: &'static str, shutdown: &CancellationToken) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let (broker, shutdown) = (Arc::clone(broker), shutdown.clone());
        tokio::spawn(async move {
            messaging::consume(broker, queue, 8, Arc::new(Collect(sender)), shutdown).await;
        });
        Self(Mutex::new(receiver))
    }

    async fn next(&self) -> Incoming {
        let mut inbox = self.0.lock().await;
        tokio::time::timeout(Duration::from_secs(20), inbox.recv())
            .await
            .unwrap()
            .unwrap()
    }
}

fn reserve(order_id: OrderId, sku: &str, quantity: i64) -> Command {
    ReserveStock {
        order_id,
        items: items(&[(sku, quantity)]),
        hold_seconds: 900,
    }
    .into()
}

#[tokio::test]
async fn every_delivery_of_a_command_is_answered_and_poison_does_not_block_the_queue() {
    let shelf = shelf(&[("A", 5)]).await;
    let broker = Broker::connect(&testkit::amqp_url(), "inventory", testkit::namespace())
        .await
        .unwrap();
    let shutdown = CancellationToken::new();
    let _guard = shutdown.clone().drop_guard();
    let commands = Arc::new(Commands::new(shelf.db.clone(), Arc::clone(&broker)));
    let consumer = messaging::consume(
        Arc::clone(&broker),
        queues::INVENTORY,
        8,
        commands,
        shutdown.clone(),
    );
    tokio::spawn(consumer);
    let (replies, dead) = (
        Inbox::of(&broker, queues::ORDERS, &shutdown),
        Inbox::of(&broker, DEAD_LETTERS, &shutdown),
    );

    let order = OrderId::generate();
    let saga = SagaId::from(order);
    let id = CommandId::derive(saga, "reserve_stock", "do");
    let command = Outgoing::command(reserve(order, "A", 2), id, saga);
    let unknown = Outgoing {
        id: Uuid::now_v7(),
        kind: "inventory.count_stars.v1".to_owned(),
        ..command.clone()
    };
    let no_quantity = Outgoing {
        id: Uuid::now_v7(),
        body: serde_json::json!({"order_id": order, "items": [{"sku": "A", "quantity": 0}], "hold_seconds": 900}),
        ..command.clone()
    };
    for message in [&unknown, &command, &no_quantity, &command, &command] {
        broker.publish(message).await.unwrap();
    }
    for _ in 0..3 {
        let reply = replies.next().await;
        assert_eq!((reply.kind.as_str(), reply.correlation_id), (Reply::KIND, saga.0));
        let reply: Reply = reply.decode().unwrap();
        assert_eq!((reply.command_id, reply.outcome), (id, done()));
    }
    let mut dead_lettered = [dead.next().await.id, dead.next().await.id];
    dead_lettered.sort_unstable();
    assert_eq!(dead_lettered, [unknown.id, no_quantity.id]);
    assert_eq!(shelf.levels("A").await, (5, 3, 2, 0));

    let other = OrderId::generate();
    let id = CommandId::derive(other.into(), "reserve_stock", "do");
    broker
        .publish(&Outgoing::command(reserve(other, "A", 4), id, other.into()))
        .await
        .unwrap();
    let reply: Reply = replies.next().await.decode().unwrap();
    let expected = Outcome::Refused {
        reason: "out_of_stock".to_owned(),
        detail: "A: 3 available, 4 requested".to_owned(),
    };
    assert_eq!((reply.command_id, reply.outcome), (id, expected));
}

/// A command as an incoming message.
pub(crate) fn incoming(command: &Command) -> Incoming {
    Incoming {
        id: Uuid::now_v7(),
        kind: command.kind.to_owned(),
        queue: command.queue.to_owned(),
        correlation_id: Uuid::now_v7(),
        reply_to: None,
        body: serde_json::to_vec(&command.body).unwrap(),
        attempt: 1,
        death_reason: None,
        trace: TraceContext::default(),
    }
}

#[tokio::test]
async fn a_command_is_retried_while_the_database_is_unavailable() {
    let db = Database::new("mongodb://127.0.0.1:1/inventory?directConnection=true")
        .await
        .unwrap();
    let order_id = OrderId::generate();
    for command in [ReleaseStock { order_id }.into(), PinStock { order_id }.into()] {
        let response = perform(&db, &incoming(&command)).await;
        assert!(matches!(response, Err(HandleError::Retry(_))), "{response:?}");
    }
}

#[tokio::test]
async fn a_command_that_contradicts_existing_holds_is_poison() {
    let shelf = shelf(&[("A", 5)]).await;
    let order = OrderId::generate();
    let outcome = perform(&shelf, &incoming(&reserve(order, "A", 1))).await.unwrap();
    assert_eq!(reason(&outcome), "done");
    let response = perform(&shelf, &incoming(&reserve(order, "A", 2))).await;
    assert!(matches!(response, Err(HandleError::Poison(_))), "{response:?}");
}
