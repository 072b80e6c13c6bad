//! Commands and replies over a real broker.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use contracts::{
    CommandId, SagaId,
    saga::{Command, Outcome, Reply, VoidPayment, queues},
};
use messaging::{Broker, HandleError, Handler, Incoming, Outbox, Outgoing};
use payments::{App, Commands, Workers};
use tokio_util::sync::CancellationToken;

use super::support::{Fixture, Order};

/// Collects the replies that orders receives.
#[derive(Default)]
struct Replies(Mutex<Vec<Reply>>);

impl Handler for Replies {
    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        self.0.lock().unwrap().push(message.decode()?);
        Ok(())
    }
}

#[tokio::test]
async fn commands_are_replied_to_and_the_outbox_is_emptied() {
    let fixture = Fixture::start().await;
    let broker = Broker::connect(&testkit::amqp_url(), "test", testkit::namespace())
        .await
        .unwrap();
    let app = App {
        outbox: Outbox::new(fixture.app.pool.clone(), broker.clone()),
        ..fixture.app.clone()
    };
    let stop = CancellationToken::new();
    let replies = Arc::new(Replies::default());
    let commands = Arc::new(Commands::new(app.clone()));
    let (relay, relay_stop) = (app.outbox.clone(), stop.clone());
    let workers = [
        tokio::spawn(async move { relay.run(relay_stop).await }),
        tokio::spawn(consume(broker.clone(), queues::PAYMENTS, commands, stop.clone())),
        tokio::spawn(consume(
            broker.clone(),
            queues::ORDERS,
            replies.clone(),
            stop.clone(),
        )),
    ];

    let order = Order::paid_with("pm_card_ok");
    let saga = SagaId::from(order.id);
    let (authorize, void) = (
        CommandId::derive(saga, "authorize", "do"),
        CommandId::derive(saga, "authorize", "undo"),
    );
    let command = Command::from(
        order
            .authorize()
            .decode::<contracts::saga::AuthorizePayment>()
            .unwrap(),
    );
    // Publish it twice, as a resend does.
    for _ in 0..2 {
        broker
            .publish(&Outgoing::command(command.clone(), authorize, saga))
            .await
            .unwrap();
    }
    let await_replies = async |count: usize| {
        testkit::eventually("the replies arrive", Duration::from_secs(20), async || {
            (replies.0.lock().unwrap().len() == count).then_some(())
        })
        .await;
    };
    await_replies(2).await;
    broker
        .publish(&Outgoing::command(
            VoidPayment { order_id: order.id }.into(),
            void,
            saga,
        ))
        .await
        .unwrap();
    await_replies(3).await;
    let outcomes: Vec<_> = replies
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|reply| (reply.command_id, reply.outcome.clone()))
        .collect();
    assert_eq!(
        outcomes,
        [
            (authorize, Outcome::Done),
            (authorize, Outcome::Done),
            (void, Outcome::Done)
        ]
    );
    assert_eq!(fixture.intents(&order).await, ["canceled"]);
    testkit::eventually("the outbox is empty", Duration::from_secs(5), async || {
        let remaining = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox");
        (remaining.fetch_one(&fixture.database.pool).await.unwrap() == 0).then_some(())
    })
    .await;
    stop.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
}

#[tokio::test]
async fn a_reply_written_during_shutdown_is_still_published() {
    let fixture = Fixture::start().await;
    let broker = Broker::connect(&testkit::amqp_url(), "test", testkit::namespace())
        .await
        .unwrap();
    let app = App {
        outbox: Outbox::new(fixture.app.pool.clone(), broker.clone()),
        ..fixture.app.clone()
    };
    let (stop, stop_orders) = (CancellationToken::new(), CancellationToken::new());
    let replies = Arc::new(Replies::default());
    let orders = tokio::spawn(consume(
        broker.clone(),
        queues::ORDERS,
        replies.clone(),
        stop_orders.clone(),
    ));
    let workers = Workers::start(&app, broker.clone(), None, &stop);

    // The provider takes three seconds to respond.
    let order = Order::paid_with("pm_card_slow");
    let saga = SagaId::from(order.id);
    let id = CommandId::derive(saga, "authorize", "do");
    let command = order
        .authorize()
        .decode::<contracts::saga::AuthorizePayment>()
        .unwrap();
    broker
        .publish(&Outgoing::command(command.into(), id, saga))
        .await
        .unwrap();
    testkit::eventually(
        "the authorization has begun",
        Duration::from_secs(20),
        async || {
            let status = sqlx::query_scalar::<_, String>("SELECT status FROM payments WHERE order_id = $1");
            let status = status.bind(order.id.0).fetch_optional(&app.pool).await.unwrap();
            (status.as_deref() == Some("authorizing")).then_some(())
        },
    )
    .await;
    stop.cancel();
    workers.finish().await;

    assert_eq!(fixture.status(&order).await, "authorized");
    let remaining = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox");
    assert_eq!(
        remaining.fetch_one(&app.pool).await.unwrap(),
        0,
        "the outbox is empty"
    );
    testkit::eventually("the reply arrives", Duration::from_secs(20), async || {
        let replies = replies.0.lock().unwrap();
        replies.iter().any(|reply| reply.command_id == id).then_some(())
    })
    .await;
    stop_orders.cancel();
    orders.await.unwrap();
}

async fn consume<H: Handler>(
    broker: Arc<Broker>,
    queue: &'static str,
    handler: Arc<H>,
    stop: CancellationToken,
) {
    messaging::consume(broker, queue, 32, handler, stop).await;
}
