//! Consuming: many messages at once, each acknowledged after its effect is committed. One that fails is published to a
//! retry queue, confirmed, before it is acknowledged; one that cannot be understood goes to the dead letters at once, so
//! its neighbours are not held up.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use lapin::{
    message::Delivery,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions},
    types::{AMQPValue, FieldTable},
};
use telemetry::TraceContext;
use tokio::time::sleep;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, error, field::Empty, info, info_span, warn};

use crate::{
    Broker, DEAD_LETTERS, Incoming, Poison, PublishError,
    message::{ATTEMPT, DEATH_QUEUE, DEATH_REASON, SENT_BY, header, with_headers},
    metrics::PROCESS_DURATION,
    topology::retry_queue,
};

/// Attempts at one message before it becomes a dead letter.
pub const MAX_ATTEMPTS: u32 = 6;

/// Why a message was not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// Something is away or busy; another attempt may succeed.
    #[error("{0:#}")]
    Retry(anyhow::Error),
    /// No attempt will succeed: to the dead letters.
    #[error("{0:#}")]
    Poison(anyhow::Error),
}

impl From<Poison> for HandleError {
    fn from(poison: Poison) -> Self {
        Self::Poison(poison.into())
    }
}

impl From<sqlx::Error> for HandleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Retry(error.into())
    }
}

impl From<PublishError> for HandleError {
    fn from(error: PublishError) -> Self {
        Self::Retry(error.into())
    }
}

/// What a service does with the messages of a queue.
pub trait Handler: Send + Sync + 'static {
    /// The kinds that it knows: shown as metrics from the start, so that the first message of each is counted by a rate.
    const KINDS: &'static [&'static str] = &[];

    /// Handles one message; when this returns `Ok`, its effect is committed.
    fn handle(&self, message: Incoming) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// Consumes `queue` until `shutdown`, with up to `prefetch` messages in work; then finishes those. Comes back after every
/// loss of the broker.
pub async fn consume<H: Handler>(
    broker: Arc<Broker>,
    queue: &str,
    prefetch: u16,
    handler: Arc<H>,
    shutdown: CancellationToken,
) {
    for kind in H::KINDS {
        PROCESS_DURATION.of([("queue", queue), ("kind", kind), ("outcome", "handled")]);
    }
    let mut pause = Duration::from_millis(100);
    while !shutdown.is_cancelled() {
        match session(&broker, queue, prefetch, &handler, &shutdown).await {
            Ok(()) => pause = Duration::from_millis(100),
            Err(error) => warn!(queue, %error, "the consumer lost the broker, and comes back"),
        }
        if shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
            return;
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Consumes over one channel until it ends.
async fn session<H: Handler>(
    broker: &Arc<Broker>,
    queue: &str,
    prefetch: u16,
    handler: &Arc<H>,
    shutdown: &CancellationToken,
) -> lapin::Result<()> {
    let channel = broker.connector().consuming_channel(prefetch).await?;
    let name = broker.namespace().queue(queue);
    let tag = format!("{queue}-{}", uuid::Uuid::new_v4().simple());
    let mut deliveries = channel
        .basic_consume(
            name.as_str().into(),
            tag.as_str().into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let in_work = TaskTracker::new();
    let result = loop {
        match shutdown.run_until_cancelled(deliveries.next()).await {
            None => {
                break channel
                    .basic_cancel(tag.as_str().into(), BasicCancelOptions::default())
                    .await;
            }
            Some(None) => break Ok(()),
            Some(Some(Err(error))) => break Err(error),
            Some(Some(Ok(delivery))) => {
                let work = deliver(
                    Arc::clone(broker),
                    queue.to_owned(),
                    delivery,
                    Arc::clone(handler),
                );
                in_work.spawn(work);
            }
        }
    };
    in_work.close();
    in_work.wait().await;
    result
}

async fn deliver<H: Handler>(broker: Arc<Broker>, queue: String, delivery: Delivery, handler: Arc<H>) {
    let message = Incoming::read(&delivery, &queue, broker.namespace());
    let span = message.trace.child(|| {
        info_span!(
            "process",
            otel.name = format!("process {queue}"),
            otel.kind = "consumer",
            otel.status_code = Empty,
            messaging.system = "rabbitmq",
            messaging.operation.name = "process",
            messaging.operation.type = "process",
            messaging.destination.name = queue,
            messaging.message.id = %message.id,
            messaging.message.conversation_id = %message.correlation_id,
            // A number to the conventions; an unsigned one would become a text.
            messaging.message.body.size = i64::try_from(delivery.data.len()).unwrap_or(i64::MAX),
            saga_id = %message.correlation_id,
            kind = message.kind,
            attempt = message.attempt,
        )
    });
    if let Some(sent) = header(&delivery.properties, SENT_BY) {
        let sent = TraceContext {
            traceparent: Some(sent),
            tracestate: None,
        };
        sent.link(&span);
    }
    async {
        let started = Instant::now();
        let result = if message.id.is_nil() && queue != DEAD_LETTERS {
            Err(Poison::Id.into())
        } else {
            handler.handle(message.clone()).await
        };
        let (kind, outcome) = match &result {
            Ok(()) => (message.kind.as_str(), "handled"),
            Err(HandleError::Poison(_)) => ("_OTHER", "dead"),
            Err(HandleError::Retry(_)) if is_exhausted(&queue, &message) => (message.kind.as_str(), "dead"),
            Err(HandleError::Retry(_)) => (message.kind.as_str(), "retried"),
        };
        match result {
            Ok(()) => {
                info!(kind = message.kind, "handled");
                acknowledge(&delivery).await;
            }
            Err(error) => {
                tracing::Span::current().record("otel.status_code", "ERROR");
                put_aside(&broker, &queue, &delivery, &message, error).await;
            }
        }
        PROCESS_DURATION
            .of([("queue", &queue), ("kind", kind), ("outcome", outcome)])
            .observe(started.elapsed().as_secs_f64());
    }
    .instrument(span)
    .await;
}

/// Whether this was the last attempt. A dead letter that cannot be stored is tried for ever: there is no further place to
/// bury it.
fn is_exhausted(queue: &str, message: &Incoming) -> bool {
    message.attempt >= MAX_ATTEMPTS && queue != DEAD_LETTERS
}

/// Sends a failed message to a retry queue or the dead letters, and only then acknowledges it.
async fn put_aside(
    broker: &Broker,
    queue: &str,
    delivery: &Delivery,
    message: &Incoming,
    error: HandleError,
) {
    let namespace = broker.namespace();
    let reason = error.to_string();
    let dead = matches!(error, HandleError::Poison(_)) || is_exhausted(queue, message);
    let (target, changes) = if dead {
        error!(
            error = reason,
            attempt = message.attempt,
            "the message goes to the dead letters"
        );
        let changes = vec![
            (DEATH_QUEUE, AMQPValue::LongString(queue.into())),
            (DEATH_REASON, AMQPValue::LongString(reason.as_str().into())),
        ];
        (namespace.queue(DEAD_LETTERS), changes)
    } else if queue == DEAD_LETTERS {
        error!(error = reason, "a dead letter could not be stored, and waits");
        sleep(Duration::from_secs(1)).await;
        return give_back(delivery).await;
    } else {
        warn!(
            error = reason,
            attempt = message.attempt,
            "the message failed, and is tried again"
        );
        let attempt = i32::try_from(message.attempt + 1).unwrap_or(i32::MAX);
        (
            retry_queue(&namespace.queue(queue), message.attempt),
            vec![(ATTEMPT, AMQPValue::LongInt(attempt))],
        )
    };
    let properties = with_headers(&delivery.properties, changes);
    match broker
        .publish_raw(target, properties, delivery.data.clone())
        .await
    {
        Ok(()) => acknowledge(delivery).await,
        Err(error) => {
            error!(%error, "the failed message could not be put aside");
            give_back(delivery).await;
        }
    }
}

async fn acknowledge(delivery: &Delivery) {
    match delivery.ack(BasicAckOptions::default()).await {
        Ok(true) => {}
        // The channel is gone: the broker delivers the message again, and the inbox knows it.
        Ok(false) => warn!("the acknowledgement did not happen"),
        Err(error) => warn!(%error, "the acknowledgement did not happen"),
    }
}

async fn give_back(delivery: &Delivery) {
    let options = BasicNackOptions {
        requeue: true,
        ..BasicNackOptions::default()
    };
    if let Err(error) = delivery.nack(options).await {
        warn!(%error, "the message could not be given back; it comes again with the next connection");
    }
}
