//! Consumes messages concurrently, and acknowledges each after its effect is committed. A message that fails is published to
//! a retry queue, with a confirm, before it is acknowledged. A message that cannot be decoded is dead-lettered at once, so
//! that it does not block others.

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
    broker::with_timeout,
    message::{ATTEMPT, DEATH_QUEUE, DEATH_REASON, SENT_BY, header, with_headers},
    metrics::PROCESS_DURATION,
    topology::retry_queue,
};

/// Number of attempts to process a message before it is dead-lettered.
pub const MAX_ATTEMPTS: u32 = 6;
/// Longest delay between attempts that do not use a retry queue, as a multiple of the first delay.
const MAX_DELAY_FACTOR: u32 = 60;
/// First delay before another attempt to publish a failed message to its retry queue or the dead letters.
const PUBLISH_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Interval at which the channel of a consumer is checked.
const CHANNEL_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The reason why processing a message failed.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// A temporary failure, such as an unavailable database. The message is retried.
    #[error("{0:#}")]
    Retry(anyhow::Error),
    /// A permanent failure. The message is dead-lettered without further attempts.
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

/// Processes the messages of a queue.
pub trait Handler: Send + Sync + 'static {
    /// The message kinds that the handler supports. Their metrics are exported from the start, so that a rate over them
    /// includes the first message.
    const KINDS: &'static [&'static str] = &[];

    /// First delay before another attempt to store a dead letter. It doubles with every failure, up to 60 times this.
    const DEAD_LETTER_RETRY_DELAY: Duration = Duration::from_secs(1);

    /// Processes one message. It must return `Ok` only once the effect is committed. The message may be a redelivery.
    fn handle(&self, message: Incoming) -> impl Future<Output = Result<(), HandleError>> + Send;
}

/// Consumes `queue` until `shutdown`, processing up to `prefetch` messages concurrently, and then completes those. Reconnects
/// with growing delays after every loss of the connection.
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
    let mut delay = Duration::from_millis(100);
    while !shutdown.is_cancelled() {
        match session(&broker, queue, prefetch, &handler, &shutdown).await {
            Ok(()) => delay = Duration::from_millis(100),
            Err(error) => warn!(queue, %error, "the consumer lost its connection; will reconnect"),
        }
        if shutdown.run_until_cancelled(sleep(delay)).await.is_none() {
            return;
        }
        delay = (delay * 2).min(Duration::from_secs(5));
    }
}

/// Consumes over one channel until the channel fails or `shutdown` is requested.
async fn session<H: Handler>(
    broker: &Arc<Broker>,
    queue: &str,
    prefetch: u16,
    handler: &Arc<H>,
    shutdown: &CancellationToken,
) -> lapin::Result<()> {
    let channel = broker.connector().consuming_channel(prefetch).await?;
    let name = broker.namespace().name(queue);
    let tag = format!("{queue}-{}", uuid::Uuid::new_v4().simple());
    let consume = channel.basic_consume(
        name.as_str().into(),
        tag.as_str().into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let mut deliveries = with_timeout(consume).await?;
    let mut checks = tokio::time::interval(CHANNEL_CHECK_INTERVAL);
    let in_progress = TaskTracker::new();
    // Stops local retries once messages can no longer be acknowledged on this channel.
    let stopped = shutdown.child_token();
    let result = loop {
        let next = async {
            loop {
                tokio::select! {
                    next = deliveries.next() => return next,
                    // The stream may never end if the connection is cut under load, so check the channel as well.
                    _ = checks.tick() => if !channel.status().connected() {
                        return None;
                    }
                }
            }
        };
        match shutdown.run_until_cancelled(next).await {
            None => {
                let cancel = channel.basic_cancel(tag.as_str().into(), BasicCancelOptions::default());
                break with_timeout(cancel).await;
            }
            Some(None) => break Ok(()),
            Some(Some(Err(error))) => break Err(error),
            Some(Some(Ok(delivery))) => {
                let work = deliver(
                    Arc::clone(broker),
                    queue.to_owned(),
                    delivery,
                    Arc::clone(handler),
                    stopped.clone(),
                );
                in_progress.spawn(work);
            }
        }
    };
    stopped.cancel();
    in_progress.close();
    in_progress.wait().await;
    result
}

async fn deliver<H: Handler>(
    broker: Arc<Broker>,
    queue: String,
    delivery: Delivery,
    handler: Arc<H>,
    stopped: CancellationToken,
) {
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
            // The conventions require a number, but an unsigned integer would be exported as a string.
            messaging.message.body.size = i64::try_from(delivery.data.len()).unwrap_or(i64::MAX),
            saga_id = %message.correlation_id,
            kind = message.kind,
            attempt = message.attempt,
        )
    });
    if let Some(send_context) = header(&delivery.properties, SENT_BY) {
        let send_context = TraceContext {
            traceparent: Some(send_context),
            tracestate: None,
        };
        send_context.link(&span);
    }
    async {
        let mut delays = delays(H::DEAD_LETTER_RETRY_DELAY);
        loop {
            let started = Instant::now();
            let result = if message.id.is_nil() && queue != DEAD_LETTERS {
                Err(Poison::Id.into())
            } else {
                handler.handle(message.clone()).await
            };
            let (kind, outcome) = match &result {
                Ok(()) => (message.kind.as_str(), "handled"),
                Err(HandleError::Poison(_)) => ("_OTHER", "dead"),
                Err(HandleError::Retry(_)) if is_exhausted(&queue, &message) => {
                    (message.kind.as_str(), "dead")
                }
                Err(HandleError::Retry(_)) => (message.kind.as_str(), "retried"),
            };
            PROCESS_DURATION
                .of([("queue", &queue), ("kind", kind), ("outcome", outcome)])
                .observe(started.elapsed().as_secs_f64());
            let Err(error) = result else {
                info!(kind = message.kind, "message processed");
                return acknowledge(&delivery).await;
            };
            tracing::Span::current().record("otel.status_code", "ERROR");
            if queue != DEAD_LETTERS {
                return retry_or_dead_letter(&broker, &queue, &delivery, &message, error, &stopped).await;
            }
            // There is no further queue for a dead letter, and requeueing it would only increase its delivery count. It
            // stays unacknowledged until it is stored.
            let delay = delays.next().unwrap_or_default();
            error!(%error, ?delay, "a dead letter could not be stored; will retry");
            if stopped.run_until_cancelled(sleep(delay)).await.is_none() {
                return requeue(&delivery).await;
            }
        }
    }
    .instrument(span)
    .await;
}

/// Returns an endless series of delays. Each is twice the previous one, up to [`MAX_DELAY_FACTOR`] times the first.
fn delays(first: Duration) -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(1u32), |times| Some((times * 2).min(MAX_DELAY_FACTOR)))
        .map(move |times| first * times)
}

/// Whether this was the last attempt. Storing a dead letter is retried for ever, because there is no other queue for it.
fn is_exhausted(queue: &str, message: &Incoming) -> bool {
    message.attempt >= MAX_ATTEMPTS && queue != DEAD_LETTERS
}

/// Publishes a failed message to a retry queue or the dead letters, and then acknowledges it.
async fn retry_or_dead_letter(
    broker: &Broker,
    queue: &str,
    delivery: &Delivery,
    message: &Incoming,
    error: HandleError,
    stopped: &CancellationToken,
) {
    let namespace = broker.namespace();
    let reason = error.to_string();
    let dead = matches!(error, HandleError::Poison(_)) || is_exhausted(queue, message);
    let (target, changes) = if dead {
        error!(
            error = reason,
            attempt = message.attempt,
            "processing a message failed; it is dead-lettered"
        );
        let changes = vec![
            (DEATH_QUEUE, AMQPValue::LongString(queue.into())),
            (DEATH_REASON, AMQPValue::LongString(reason.as_str().into())),
        ];
        (namespace.name(DEAD_LETTERS), changes)
    } else {
        warn!(
            error = reason,
            attempt = message.attempt,
            "processing a message failed; will retry"
        );
        let attempt = i32::try_from(message.attempt + 1).unwrap_or(i32::MAX);
        (
            retry_queue(&namespace.name(queue), message.attempt),
            vec![(ATTEMPT, AMQPValue::LongInt(attempt))],
        )
    };
    let properties = with_headers(&delivery.properties, changes);
    // Requeued, it would be redelivered at once, until it reaches the delivery limit of the broker. So publishing is retried
    // until the broker confirms it.
    for delay in delays(PUBLISH_RETRY_DELAY) {
        let published = broker
            .publish_raw(target.clone(), properties.clone(), delivery.data.clone())
            .await;
        let Err(error) = published else {
            return acknowledge(delivery).await;
        };
        error!(%error, ?delay, "could not publish the failed message to its next queue; will retry");
        if stopped.run_until_cancelled(sleep(delay)).await.is_none() {
            return requeue(delivery).await;
        }
    }
}

async fn acknowledge(delivery: &Delivery) {
    match with_timeout(delivery.ack(BasicAckOptions::default())).await {
        Ok(true) => {}
        // The channel is closed. The broker redelivers the message, and the inbox recognizes it as a duplicate.
        Ok(false) => warn!("could not acknowledge a message; it will be redelivered"),
        Err(error) => warn!(%error, "could not acknowledge a message; it will be redelivered"),
    }
}

/// Returns a message to its queue, for the next consumer.
async fn requeue(delivery: &Delivery) {
    let options = BasicNackOptions {
        requeue: true,
        ..BasicNackOptions::default()
    };
    if let Err(error) = with_timeout(delivery.nack(options)).await {
        warn!(%error, "the message could not be requeued; the broker redelivers it after the connection is lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_limit() {
        let seconds: Vec<_> = delays(Duration::from_secs(1))
            .take(9)
            .map(|delay| delay.as_secs())
            .collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
