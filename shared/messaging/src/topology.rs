//! The queues: one per participant, each with four retry queues, and one for all dead letters. Each process declares its own
//! queues on every new connection. This has no effect on existing queues, and recreates them if the broker has lost its
//! data.

use contracts::{Namespace, saga::queues};
use lapin::{
    Channel, Connection, Error, ErrorKind, Result,
    options::QueueDeclareOptions,
    protocol::{AMQPErrorKind, AMQPSoftError, constants::REPLY_SUCCESS},
    types::{AMQPValue, FieldTable},
};
use tracing::warn;

/// Queue of the messages that failed permanently or too often.
pub const DEAD_LETTERS: &str = "souk.dead-letters";

/// Name suffix of each retry queue, and how long messages wait in it, in milliseconds.
pub(crate) const RETRIES: [(&str, i32); 4] =
    [("1s", 1_000), ("10s", 10_000), ("60s", 60_000), ("5min", 300_000)];

/// Number of deliveries without acknowledgement, because consumers crashed, after which the broker dead-letters a message.
/// `RabbitMQ` 3.10 has no limit by default.
const DELIVERY_LIMIT: i32 = 20;

/// Delivery limit of the dead-letter queue: the highest value that every version supports. With the -1 that `RabbitMQ` 4 uses
/// for "unlimited", version 3.10 would drop a message the first time it is requeued.
const NO_DELIVERY_LIMIT: i32 = i32::MAX;

/// How long unused queues of tests, which have a prefix, exist. If the broker kept them all, it would run out of file descriptors.
const TEST_QUEUE_EXPIRY_MS: i32 = 180_000;

/// Returns the retry queue of `queue` for a message that has failed `attempt` times. `attempt` is at least 1.
pub(crate) fn retry_queue(queue: &str, attempt: u32) -> String {
    let index = usize::try_from(attempt.saturating_sub(1))
        .unwrap_or(usize::MAX)
        .min(RETRIES.len() - 1);
    format!("{queue}.retry.{}", RETRIES[index].0)
}

/// Declares the queues that belong to the process `app_id`.
///
/// A queue belongs to the process that consumes it, and the account of each process may configure only its own queues. A
/// message to a queue whose owner has never connected is unroutable, and its sender retries it.
pub(crate) async fn declare(connection: &Connection, namespace: &Namespace, app_id: &str) -> Result<()> {
    let owned = owned_by(app_id, namespace);
    if owned.contains(&queues::ORDERS) {
        declare_dead_letters(connection, namespace).await?;
    }
    let channel = &connection.create_channel().await?;
    for queue in owned {
        let name = namespace.name(queue);
        let dead_letter_arguments = [
            ("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT)),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&namespace.name(DEAD_LETTERS))),
        ];
        declare_quorum_queue(channel, namespace, &name, &dead_letter_arguments).await?;
        for (suffix, milliseconds) in RETRIES {
            let retry_arguments = [
                ("x-message-ttl", AMQPValue::LongInt(milliseconds)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(&name)),
                // With at-least-once, no message is lost when it moves back from the retry queue. This strategy requires
                // reject-publish.
                ("x-dead-letter-strategy", text("at-least-once")),
                ("x-overflow", text("reject-publish")),
            ];
            declare_quorum_queue(
                channel,
                namespace,
                &format!("{name}.retry.{suffix}"),
                &retry_arguments,
            )
            .await?;
        }
    }
    channel.close(REPLY_SUCCESS, "declared".into()).await
}

/// Returns the queues of a process. In a test's namespace every process owns all queues, because it acts as all services.
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

/// Declares the dead-letter queue with a delivery limit that no message reaches. By default, `RabbitMQ` 4 would drop a
/// message of this queue after 20 deliveries, because the queue has no dead-letter exchange.
///
/// If an earlier version of Souk has declared the queue without the limit, it cannot be declared with it. It cannot be
/// replaced either: other queues refer to it, and AMQP cannot delete a quorum queue on the condition that it is empty. Such
/// a queue is used unchanged, and a warning asks the operator to set the limit by a policy.
async fn declare_dead_letters(connection: &Connection, namespace: &Namespace) -> Result<()> {
    let name = namespace.name(DEAD_LETTERS);
    let limit = [("x-delivery-limit", AMQPValue::LongInt(NO_DELIVERY_LIMIT))];
    let channel = connection.create_channel().await?;
    match declare_quorum_queue(&channel, namespace, &name, &limit).await {
        Ok(()) => return channel.close(REPLY_SUCCESS, "declared".into()).await,
        Err(error) if is_inequivalent(&error) => warn!(
            queue = name,
            %error,
            "the dead-letter queue was declared without x-delivery-limit; set it by a policy, see the runbook DeadLetters"
        ),
        Err(error) => return Err(error),
    }
    // The broker has closed the first channel because of the error.
    let channel = connection.create_channel().await?;
    declare_quorum_queue(&channel, namespace, &name, &[]).await?;
    channel.close(REPLY_SUCCESS, "declared".into()).await
}

/// Whether the broker rejected a declaration because the queue exists with different arguments.
fn is_inequivalent(error: &Error) -> bool {
    let ErrorKind::ProtocolError(protocol_error) = error.kind() else {
        return false;
    };
    *protocol_error.kind() == AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)
        && protocol_error.get_message().as_str().contains("inequivalent arg")
}

async fn declare_quorum_queue(
    channel: &Channel,
    namespace: &Namespace,
    name: &str,
    arguments: &[(&str, AMQPValue)],
) -> Result<()> {
    let mut table = FieldTable::default();
    if *namespace != Namespace::default() {
        table.insert("x-expires".into(), AMQPValue::LongInt(TEST_QUEUE_EXPIRY_MS));
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
    fn retry_delays_increase_up_to_five_minutes() {
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
