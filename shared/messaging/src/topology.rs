//! The queues: one a participant, four retry queues beside each, one for all dead letters. Declared again at every
//! connection, which is harmless and mends a broker that has forgotten them.

use contracts::saga::queues;
use lapin::{
    Channel, Result,
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};

/// Where messages end that no retry helps.
pub const DEAD_LETTERS: &str = "souk.dead-letters";

/// The retry queues' names and how long a message waits there.
pub(crate) const RETRIES: [(&str, i32); 4] =
    [("1s", 1_000), ("10s", 10_000), ("60s", 60_000), ("5min", 300_000)];

/// Unacknowledged deliveries (crashes of the consumer) after which the broker itself buries a message. `RabbitMQ` 3.10 has
/// no limit unless one is set.
const DELIVERY_LIMIT: i32 = 20;

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

pub(crate) async fn declare(channel: &Channel, namespace: &Namespace) -> Result<()> {
    quorum(channel, namespace, &namespace.queue(DEAD_LETTERS), &[]).await?;
    for queue in [queues::INVENTORY, queues::PAYMENTS, queues::ORDERS] {
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
    Ok(())
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
