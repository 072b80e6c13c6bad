//! The queues: one a participant, four retry queues beside each, one for all dead letters. Each process declares its own
//! again at every connection, which is harmless and mends a broker that has forgotten them.

use contracts::saga::queues;
use lapin::{
    Channel, Connection, Error, ErrorKind, Result,
    options::QueueDeclareOptions,
    protocol::{AMQPErrorKind, AMQPSoftError, constants::REPLY_SUCCESS},
    types::{AMQPValue, FieldTable},
};
use tracing::warn;

/// Where messages end that no retry helps.
pub const DEAD_LETTERS: &str = "souk.dead-letters";

/// The retry queues' names and how long a message waits there.
pub(crate) const RETRIES: [(&str, i32); 4] =
    [("1s", 1_000), ("10s", 10_000), ("60s", 60_000), ("5min", 300_000)];

/// Unacknowledged deliveries (crashes of the consumer) after which the broker itself buries a message. `RabbitMQ` 3.10 has
/// no limit unless one is set.
const DELIVERY_LIMIT: i32 = 20;

/// The delivery limit of the dead letters: the highest that every version understands. The -1 of `RabbitMQ` 4 would make
/// 3.10 drop a message the first time it is requeued.
const NO_DELIVERY_LIMIT: i32 = i32::MAX;

/// How long the queues of a test outlive their last use. A broker that kept them all would run out of file descriptors.
const TEST_QUEUES_LIVE_MS: i32 = 180_000;

/// A prefix of every queue's name: empty in production, random in tests, which share a broker. Queues with a prefix
/// vanish some minutes after their last use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespace(String);

impl Namespace {
    /// Queues named `{prefix}{name}`.
    #[must_use]
    pub fn new(prefix: impl Into<String>) -> Self {
        Self(prefix.into())
    }

    /// The name on the broker.
    #[must_use]
    pub fn queue(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }

    /// The name in the code; what is not of this namespace stays as it is.
    #[must_use]
    pub fn strip<'a>(&self, queue: &'a str) -> &'a str {
        queue.strip_prefix(&self.0).unwrap_or(queue)
    }
}

/// The retry queue of `queue` for a message that has failed `attempt` times, 1 or more.
pub(crate) fn retry_queue(queue: &str, attempt: u32) -> String {
    let index = usize::try_from(attempt.saturating_sub(1))
        .unwrap_or(usize::MAX)
        .min(RETRIES.len() - 1);
    format!("{queue}.retry.{}", RETRIES[index].0)
}

/// Declares the queues that belong to the process `app_id`.
///
/// A queue belongs to the one that consumes it, and each process has an account that may configure its own queues only. A
/// message to a queue whose owner has never connected is unroutable; its sender keeps it and tries again.
pub(crate) async fn declare(connection: &Connection, namespace: &Namespace, app_id: &str) -> Result<()> {
    let owned = owned_by(app_id, namespace);
    if owned.contains(&queues::ORDERS) {
        declare_dead_letters(connection, namespace).await?;
    }
    let channel = &connection.create_channel().await?;
    for queue in owned {
        let name = namespace.queue(queue);
        let buried = [
            ("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT)),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&namespace.queue(DEAD_LETTERS))),
        ];
        quorum(channel, namespace, &name, &buried).await?;
        for (suffix, milliseconds) in RETRIES {
            let back = [
                ("x-message-ttl", AMQPValue::LongInt(milliseconds)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(&name)),
                // With at-least-once the broker confirms the move from the retry queue back; it needs reject-publish.
                ("x-dead-letter-strategy", text("at-least-once")),
                ("x-overflow", text("reject-publish")),
            ];
            quorum(channel, namespace, &format!("{name}.retry.{suffix}"), &back).await?;
        }
    }
    channel.close(REPLY_SUCCESS, "declared".into()).await
}

/// The queues of a process. In a test's namespace one process plays every part, and all queues are its own.
fn owned_by(app_id: &str, namespace: &Namespace) -> Vec<&'static str> {
    const OWNERS: [(&str, &str); 3] = [
        ("inventory", queues::INVENTORY),
        ("payments", queues::PAYMENTS),
        ("orders", queues::ORDERS),
    ];
    let is_test = *namespace != Namespace::default();
    OWNERS
        .into_iter()
        .filter(|(owner, _)| is_test || *owner == app_id)
        .map(|(_, queue)| queue)
        .collect()
}

/// Declares the queue of the dead letters with a delivery limit that no message reaches. `RabbitMQ` 4 would otherwise drop
/// a message of it after 20 deliveries, since the queue has no dead-letter exchange of its own.
///
/// A queue that an earlier version of Souk declared without the limit cannot be declared with it, and it cannot be
/// replaced either: the other queues name it as theirs, and a quorum queue cannot be deleted on the condition that it is
/// empty. Such a queue is used as it is, and the log says to set the limit by a policy.
async fn declare_dead_letters(connection: &Connection, namespace: &Namespace) -> Result<()> {
    let name = namespace.queue(DEAD_LETTERS);
    let limit = [("x-delivery-limit", AMQPValue::LongInt(NO_DELIVERY_LIMIT))];
    let channel = connection.create_channel().await?;
    match quorum(&channel, namespace, &name, &limit).await {
        Ok(()) => return channel.close(REPLY_SUCCESS, "declared".into()).await,
        Err(error) if is_inequivalent(&error) => warn!(
            queue = name,
            %error,
            "the dead-letter queue was declared without x-delivery-limit; set it by a policy, see the runbook DeadLetters"
        ),
        Err(error) => return Err(error),
    }
    // The refusal has closed the first channel.
    let channel = connection.create_channel().await?;
    quorum(&channel, namespace, &name, &[]).await?;
    channel.close(REPLY_SUCCESS, "declared".into()).await
}

/// Whether the broker refused a declaration because the queue exists with other arguments.
fn is_inequivalent(error: &Error) -> bool {
    let ErrorKind::ProtocolError(refused) = error.kind() else {
        return false;
    };
    *refused.kind() == AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)
        && refused.get_message().as_str().contains("inequivalent arg")
}

async fn quorum(
    channel: &Channel,
    namespace: &Namespace,
    name: &str,
    arguments: &[(&str, AMQPValue)],
) -> Result<()> {
    let mut table = FieldTable::default();
    if *namespace != Namespace::default() {
        table.insert("x-expires".into(), AMQPValue::LongInt(TEST_QUEUES_LIVE_MS));
    }
    table.insert("x-queue-type".into(), text("quorum"));
    for (key, value) in arguments {
        table.insert((*key).into(), value.clone());
    }
    channel
        .queue_declare(name.into(), QueueDeclareOptions::durable(), table)
        .await?;
    Ok(())
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_declares_the_queues_that_it_consumes() {
        let production = Namespace::default();
        assert_eq!(owned_by("payments", &production), [queues::PAYMENTS]);
        assert_eq!(owned_by("orders", &production), [queues::ORDERS]);
        assert_eq!(owned_by("auditor", &production), [""; 0]);
        assert_eq!(owned_by("orders", &Namespace::new("test-")).len(), 3);
    }

    #[test]
    fn waits_longer_at_every_attempt_and_at_most_five_minutes() {
        let names: Vec<_> = (1..=6).map(|attempt| retry_queue("q", attempt)).collect();
        let expected = [
            "q.retry.1s",
            "q.retry.10s",
            "q.retry.60s",
            "q.retry.5min",
            "q.retry.5min",
            "q.retry.5min",
        ];
        assert_eq!(names, expected);
    }
}
