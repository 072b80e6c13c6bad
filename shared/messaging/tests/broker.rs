//! Tests of publishing and consuming with a real RabbitMQ. Each test has its own queues.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use contracts::{CommandId, OrderId, SagaId, saga};
use lapin::types::{AMQPValue, FieldTable};
use messaging::{
    Broker, DEAD_LETTERS, HandleError, Handler, Incoming, Namespace, Outgoing, PublishError, consume,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Returns the result that the test chooses, and reports each message to the test.
struct TestHandler<F> {
    decide: F,
    seen: mpsc::UnboundedSender<Incoming>,
}

impl<F: Fn(&Incoming) -> Result<(), HandleError> + Send + Sync + 'static> Handler for TestHandler<F> {
    const KINDS: &'static [&'static str] = &["test.never_sent.v1"];
    const DEAD_LETTER_RETRY_DELAY: Duration = Duration::from_millis(1);

    async fn handle(&self, message: Incoming) -> Result<(), HandleError> {
        let result = (self.decide)(&message);
        self.seen.send(message).expect("the test receives");
        result
    }
}

async fn broker() -> Arc<Broker> {
    Broker::connect(&testkit::amqp_url(), "test", testkit::namespace())
        .await
        .expect("a valid URL")
}

/// Consumes a queue until the guard is dropped.
fn start_consumer<F>(
    broker: &Arc<Broker>,
    queue: &'static str,
    decide: F,
) -> (mpsc::UnboundedReceiver<Incoming>, impl Drop + use<F>)
where
    F: Fn(&Incoming) -> Result<(), HandleError> + Send + Sync + 'static,
{
    let (seen, arrivals) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let handler = Arc::new(TestHandler { decide, seen });
    tokio::spawn(consume(Arc::clone(broker), queue, 32, handler, stop.clone()));
    (arrivals, stop.drop_guard())
}

async fn next(arrivals: &mut mpsc::UnboundedReceiver<Incoming>) -> Incoming {
    tokio::time::timeout(TIMEOUT, arrivals.recv())
        .await
        .expect("a message in time")
        .expect("a message")
}

fn command() -> Outgoing {
    let order = OrderId::generate();
    let saga = SagaId::from(order);
    Outgoing::command(
        saga::PinStock { order_id: order }.into(),
        CommandId::derive(saga, "pin_stock", "do"),
        saga,
    )
}

#[tokio::test]
async fn metrics_of_known_kinds_exist_before_the_first_message() {
    let broker = broker().await;
    let (_arrivals, _guard) = start_consumer(&broker, "test.unused", |_| Ok(()));
    tokio::task::yield_now().await;
    let series = r#"messaging_process_duration_seconds_count{queue="test.unused",kind="test.never_sent.v1",outcome="handled"} 0"#;
    assert!(telemetry::metrics::encode().contains(series));
}

#[tokio::test]
async fn a_message_arrives_with_its_envelope() {
    let broker = broker().await;
    let sent = command();
    broker.publish(&sent).await.expect("confirmed");
    let (mut arrivals, _guard) = start_consumer(&broker, saga::queues::INVENTORY, |_| Ok(()));
    let message = next(&mut arrivals).await;
    assert_eq!(
        (message.id, message.correlation_id, &message.kind),
        (sent.id, sent.correlation_id, &sent.kind)
    );
    assert_eq!(
        (message.reply_to.as_deref(), message.attempt),
        (Some(saga::queues::ORDERS), 1)
    );
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&message.body).unwrap(),
        sent.body
    );
}

#[tokio::test]
async fn the_backlog_counts_messages_that_are_not_delivered() {
    let broker = broker().await;
    assert_eq!(broker.backlog(saga::queues::PAYMENTS).await.expect("a queue"), 0);
    let command = saga::PinStock {
        order_id: OrderId::generate(),
    };
    for _ in 0..3 {
        let notice = Outgoing::notice(saga::queues::PAYMENTS, uuid::Uuid::new_v4(), &command);
        broker.publish(&notice).await.expect("confirmed");
    }
    testkit::eventually("three messages are waiting", TIMEOUT, async || {
        let waiting = broker.backlog(saga::queues::PAYMENTS).await.expect("a queue");
        (waiting == 3).then_some(())
    })
    .await;
    assert_eq!(broker.backlog(saga::queues::INVENTORY).await.expect("a queue"), 0);
    assert_eq!(broker.backlog("no.such.queue").await.expect("an answer"), 0);
    let after_errors = broker.backlog(saga::queues::PAYMENTS).await.expect("a queue");
    assert_eq!(after_errors, 3, "the connection still works");
}

#[tokio::test]
async fn a_failed_message_is_retried_after_a_second() {
    let broker = broker().await;
    broker.publish(&command()).await.expect("confirmed");
    let (mut arrivals, _guard) = start_consumer(&broker, saga::queues::INVENTORY, |message| {
        match message.attempt {
            1 => Err(HandleError::Retry(anyhow::anyhow!("not now"))),
            _ => Ok(()),
        }
    });
    let first = next(&mut arrivals).await;
    let second = next(&mut arrivals).await;
    assert_eq!((first.id, first.attempt, second.attempt), (second.id, 1, 2));
}

#[tokio::test]
async fn a_poison_message_is_dead_lettered_and_does_not_block_others() {
    let broker = broker().await;
    let (poison, good) = (command(), command());
    let bad = poison.id;
    for message in [&poison, &good] {
        broker.publish(message).await.expect("confirmed");
    }
    let (mut arrivals, _guard) = start_consumer(&broker, saga::queues::INVENTORY, move |message| {
        if message.id == bad {
            Err(HandleError::Poison(anyhow::anyhow!("nonsense")))
        } else {
            Ok(())
        }
    });
    let (mut dead, _dead_guard) = start_consumer(&broker, DEAD_LETTERS, |_| Ok(()));
    let dead_letter = next(&mut dead).await;
    assert_eq!(
        (dead_letter.id, dead_letter.queue.as_str()),
        (bad, saga::queues::INVENTORY)
    );
    assert!(
        dead_letter
            .death_reason
            .is_some_and(|reason| reason.contains("nonsense"))
    );
    let mut handled = [next(&mut arrivals).await.id, next(&mut arrivals).await.id];
    handled.sort_unstable();
    let mut sent = [bad, good.id];
    sent.sort_unstable();
    assert_eq!(handled, sent);
}

/// Publishes a dead letter, as a consumer does, and returns its id.
async fn dead_letter(broker: &Broker) -> uuid::Uuid {
    let letter = Outgoing {
        queue: DEAD_LETTERS.into(),
        ..command()
    };
    broker.publish(&letter).await.expect("confirmed");
    letter.id
}

#[tokio::test]
async fn a_dead_letter_is_retried_without_redelivery_until_it_is_stored() {
    let broker = broker().await;
    let id = dead_letter(&broker).await;
    // More failures than the default delivery limit of RabbitMQ 4.
    let failures = AtomicUsize::new(30);
    let (mut arrivals, _guard) = start_consumer(&broker, DEAD_LETTERS, move |_| {
        let remaining = failures.fetch_update(Relaxed, Relaxed, |remaining| remaining.checked_sub(1));
        remaining.map_or(Ok(()), |_| {
            Err(HandleError::Retry(anyhow::anyhow!("the database is down")))
        })
    });
    assert_eq!(next(&mut arrivals).await.id, id);
    // The broker would deliver a requeued message to this consumer.
    let (mut others, _other_guard) = start_consumer(&broker, DEAD_LETTERS, |_| Ok(()));
    for _ in 0..30 {
        assert_eq!(next(&mut arrivals).await.id, id);
    }
    assert!(others.try_recv().is_err(), "the message was redelivered");
    // Once the dead letter is stored, it is acknowledged, and the next one is processed.
    let second = dead_letter(&broker).await;
    let handled = tokio::select! {
        message = next(&mut arrivals) => message,
        message = next(&mut others) => message,
    };
    assert_eq!(handled.id, second);
}

#[tokio::test]
async fn an_unstored_dead_letter_is_requeued_when_its_consumer_stops() {
    let broker = broker().await;
    let id = dead_letter(&broker).await;
    let (mut arrivals, guard) = start_consumer(&broker, DEAD_LETTERS, |_| {
        Err(HandleError::Retry(anyhow::anyhow!("the database is down")))
    });
    assert_eq!(next(&mut arrivals).await.id, id);
    drop(guard);
    let (mut others, _other_guard) = start_consumer(&broker, DEAD_LETTERS, |_| Ok(()));
    assert_eq!(next(&mut others).await.id, id);
}

/// Requeues the only message of a queue that many times, as crashing consumers would.
async fn requeue_repeatedly(channel: &lapin::Channel, queue: &str, times: usize) {
    for _ in 0..times {
        let message = testkit::eventually("the message", TIMEOUT, async || {
            let options = lapin::options::BasicGetOptions::default();
            channel.basic_get(queue.into(), options).await.expect("an answer")
        })
        .await;
        let options = lapin::options::BasicNackOptions {
            requeue: true,
            ..Default::default()
        };
        message.nack(options).await.expect("an open channel");
    }
}

#[tokio::test]
async fn a_dead_letter_survives_any_number_of_crashes() {
    let broker = broker().await;
    let id = dead_letter(&broker).await;
    let connection = lapin::Connection::connect(&testkit::amqp_url(), lapin::ConnectionProperties::default())
        .await
        .expect("the tests' broker");
    let channel = connection.create_channel().await.expect("a channel");
    requeue_repeatedly(&channel, &broker.namespace().name(DEAD_LETTERS), 30).await;
    let (mut arrivals, _guard) = start_consumer(&broker, DEAD_LETTERS, |_| Ok(()));
    assert_eq!(next(&mut arrivals).await.id, id);
}

/// Declares the dead-letter queue without a delivery limit, as earlier versions of Souk did.
async fn declare_without_limit(channel: &lapin::Channel, namespace: &Namespace) {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-expires".into(), AMQPValue::LongInt(180_000));
    channel
        .queue_declare(
            namespace.name(DEAD_LETTERS).into(),
            lapin::options::QueueDeclareOptions::durable(),
            arguments,
        )
        .await
        .expect("declared");
}

#[tokio::test]
async fn a_dead_letter_queue_of_an_earlier_version_is_used_unchanged() {
    let namespace = testkit::namespace();
    let connection = lapin::Connection::connect(&testkit::amqp_url(), lapin::ConnectionProperties::default())
        .await
        .expect("the tests' broker");
    let channel = connection.create_channel().await.expect("a channel");
    declare_without_limit(&channel, &namespace).await;
    let broker = Broker::connect(&testkit::amqp_url(), "test", namespace)
        .await
        .expect("a valid URL");
    let id = dead_letter(&broker).await;
    let (mut arrivals, _guard) = start_consumer(&broker, DEAD_LETTERS, |_| Ok(()));
    assert_eq!(next(&mut arrivals).await.id, id);
}

#[tokio::test]
async fn an_unroutable_message_fails_and_concurrent_messages_succeed() {
    let broker = broker().await;
    let (good, unroutable) = (
        command(),
        Outgoing {
            queue: "nowhere".into(),
            ..command()
        },
    );
    let (first, second, third) = tokio::join!(
        broker.publish(&good),
        broker.publish(&unroutable),
        broker.publish(&good)
    );
    assert!(first.is_ok() && third.is_ok());
    assert!(matches!(second, Err(PublishError::Unroutable { id, .. }) if id == unroutable.id.to_string()));
}

#[tokio::test]
async fn an_invalid_url_is_an_error_and_an_unavailable_broker_is_not() {
    assert!(
        Broker::connect("http://localhost", "test", Namespace::default())
            .await
            .is_err()
    );
    let unavailable = Broker::connect("amqp://127.0.0.1:1/%2f", "test", Namespace::default())
        .await
        .expect("a valid URL");
    assert!(unavailable.check().await.is_err());
    assert!(matches!(
        unavailable.publish(&command()).await,
        Err(PublishError::Unconfirmed(_))
    ));
}

/// Starts a proxy to the broker. Changing the value of the sender cuts all connections.
async fn proxy() -> (String, tokio::sync::watch::Sender<u32>) {
    let url: lapin::uri::AMQPUri = testkit::amqp_url().parse().expect("the broker's URL");
    let upstream = (url.authority.host.clone(), url.authority.port);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (cut, cuts) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.expect("a client");
            let (upstream, mut cuts) = (upstream.clone(), cuts.clone());
            cuts.mark_unchanged();
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(upstream)
                    .await
                    .expect("the broker");
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    _ = cuts.changed() => {
                        // Reset the connection, as when the broker is killed.
                        let _ = client.set_zero_linger();
                    }
                }
            });
        }
    });
    let direct_url = testkit::amqp_url();
    let proxy_address = format!("127.0.0.1:{port}");
    let broker_address = format!("{}:{}", url.authority.host, url.authority.port);
    (direct_url.replace(&broker_address, &proxy_address), cut)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_recover_without_losing_messages_when_connections_are_cut_under_load() {
    let namespace = testkit::namespace();
    let direct = Broker::connect(&testkit::amqp_url(), "test", namespace.clone())
        .await
        .expect("a valid URL");
    let (url, cut) = proxy().await;
    let consuming = Broker::connect(&url, "test", namespace)
        .await
        .expect("a valid URL");
    let (mut arrivals, _guard) = start_consumer(&consuming, saga::queues::INVENTORY, |_| Ok(()));
    let mut expected = std::collections::HashSet::new();
    for round in 1..=40 {
        let messages: Vec<_> = (0..50).map(|_| command()).collect();
        expected.extend(messages.iter().map(|message| message.id));
        let publish = messages.iter().map(|message| direct.publish(message));
        let published = futures::future::join_all(publish);
        let cutting = async {
            // Cut the connections while messages are being published.
            let first = next(&mut arrivals).await;
            cut.send_replace(round);
            first
        };
        let (published, first) = tokio::join!(published, cutting);
        expected.remove(&first.id);
        assert!(published.iter().all(Result::is_ok));
    }
    while !expected.is_empty() {
        let arrived = tokio::time::timeout(TIMEOUT, arrivals.recv()).await;
        let message = arrived.unwrap_or_else(|_| panic!("{} messages never arrived", expected.len()));
        expected.remove(&message.expect("a message").id);
    }
}
