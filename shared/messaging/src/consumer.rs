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
    broker::in_time,
    message::{ATTEMPT, DEATH_QUEUE, DEATH_REASON, SENT_BY, header, with_headers},
    metrics::PROCESS_DURATION,
    topology::retry_queue,
};

/// Attempts at one message before it becomes a dead letter.
pub const MAX_ATTEMPTS: u32 = 6;
/// The longest wait between two attempts that are made without the broker, in units of the first one.
const LONGEST_PAUSE: u32 = 60;
/// The first wait before a failed message is published once more to where it is put aside.
const PUBLISH_PAUSE: Duration = Duration::from_secs(1);

/// Between two looks whether the channel of a consumer still works.
const CHECK: Duration = Duration::from_secs(1);

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

    /// The wait before a dead letter that could not be stored is handled again. It doubles with every failure, up to 60
    /// times this.
    const DEAD_LETTER_PAUSE: Duration = Duration::from_secs(1);

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
    let consume = channel.basic_consume(
        name.as_str().into(),
        tag.as_str().into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let mut deliveries = in_time(consume).await?;
    let mut checks = tokio::time::interval(CHECK);
    let in_work = TaskTracker::new();
    // What waits to be tried again does so no longer than the broker would take its acknowledgement.
    let ended = shutdown.child_token();
    let result = loop {
        let next = async {
            loop {
                tokio::select! {
                    next = deliveries.next() => return next,
                    // The stream of a connection that is cut under load may never end by itself.
                    _ = checks.tick() => if !channel.status().connected() {
                        return None;
                    }
                }
            }
        };
        match shutdown.run_until_cancelled(next).await {
            None => {
                let cancel = channel.basic_cancel(tag.as_str().into(), BasicCancelOptions::default());
                break in_time(cancel).await;
            }
            Some(None) => break Ok(()),
            Some(Some(Err(error))) => break Err(error),
            Some(Some(Ok(delivery))) => {
                let work = deliver(
                    Arc::clone(broker),
                    queue.to_owned(),
                    delivery,
                    Arc::clone(handler),
                    ended.clone(),
                );
                in_work.spawn(work);
            }
        }
    };
    ended.cancel();
    in_work.close();
    in_work.wait().await;
    result
}

async fn deliver<H: Handler>(
    broker: Arc<Broker>,
    queue: String,
    delivery: Delivery,
    handler: Arc<H>,
    ended: CancellationToken,
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
        let mut pauses = pauses(H::DEAD_LETTER_PAUSE);
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
                info!(kind = message.kind, "handled");
                return acknowledge(&delivery).await;
            };
            tracing::Span::current().record("otel.status_code", "ERROR");
            if queue != DEAD_LETTERS {
                return put_aside(&broker, &queue, &delivery, &message, error, &ended).await;
            }
            // There is no further queue for it, and returning it to this one would only count another delivery. So it
            // stays here, unacknowledged, until it is stored.
            let pause = pauses.next().unwrap_or_default();
            error!(%error, ?pause, "a dead letter could not be stored; will retry");
            if ended.run_until_cancelled(sleep(pause)).await.is_none() {
                return requeue(&delivery).await;
            }
        }
    }
    .instrument(span)
    .await;
}

/// Endless waits, each twice as long as the one before it, up to [`LONGEST_PAUSE`] times the first.
fn pauses(first: Duration) -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(1u32), |times| Some((times * 2).min(LONGEST_PAUSE)))
        .map(move |times| first * times)
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
    ended: &CancellationToken,
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
    // Returned to its queue it would come back at once, and after a few such rounds the broker would give up on it. So it
    // is published until the broker takes it.
    for pause in pauses(PUBLISH_PAUSE) {
        let published = broker
            .publish_raw(target.clone(), properties.clone(), delivery.data.clone())
            .await;
        let Err(error) = published else {
            return acknowledge(delivery).await;
        };
        error!(%error, ?pause, "the failed message could not be put aside; will retry");
        if ended.run_until_cancelled(sleep(pause)).await.is_none() {
            return requeue(delivery).await;
        }
    }
}

async fn acknowledge(delivery: &Delivery) {
    match in_time(delivery.ack(BasicAckOptions::default())).await {
        Ok(true) => {}
        // The channel is gone: the broker delivers the message again, and the inbox knows it.
        Ok(false) => warn!("the acknowledgement did not happen"),
        Err(error) => warn!(%error, "the acknowledgement did not happen"),
    }
}

/// Returns a message to its queue, for the next consumer.
async fn requeue(delivery: &Delivery) {
    let options = BasicNackOptions {
        requeue: true,
        ..BasicNackOptions::default()
    };
    if let Err(error) = in_time(delivery.nack(options)).await {
        warn!(%error, "the message could not be requeued; the broker redelivers it after the connection is lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_without_the_broker_are_made_ever_more_seldom() {
        let seconds: Vec<_> = pauses(Duration::from_secs(1))
            .take(9)
            .map(|pause| pause.as_secs())
            .collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
