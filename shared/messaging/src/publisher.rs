//! Publishes messages with confirms. One task owns the channel and publishes the pending requests in batches, whose confirms
//! are awaited together. Unroutable messages are identified by their id, because the client assigns returned messages to
//! confirms in the order of arrival only.

use std::{collections::HashSet, time::Duration};

use lapin::{BasicProperties, Channel, Confirmation, options::BasicPublishOptions};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::broker::Connector;

/// Maximum number of messages published before their confirms are awaited.
const BATCH: usize = 256;
/// How long to wait for the confirms of a batch. After that the channel is replaced.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);

/// The reason why publishing a message failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// The destination queue does not exist, so the broker returned the message.
    #[error("message {id} to {queue} is unroutable")]
    Unroutable {
        /// Id of the message.
        id: String,
        /// Name of the missing queue on the broker.
        queue: String,
    },
    /// The broker did not confirm the message. It may have been stored nevertheless, and can be sent again.
    #[error("the broker did not confirm: {0}")]
    Unconfirmed(String),
}

/// A message for the publishing task, and where to send the result.
pub(crate) struct Request {
    pub(crate) queue: String,
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
    pub(crate) done: oneshot::Sender<Result<(), PublishError>>,
}

/// Publishes requests until every sender is dropped.
pub(crate) async fn run(connector: Connector, mut requests: mpsc::Receiver<Request>) {
    let mut channel: Option<Channel> = None;
    let mut batch = Vec::with_capacity(BATCH);
    while requests.recv_many(&mut batch, BATCH).await > 0 {
        let open = match channel.take().filter(|channel| channel.status().connected()) {
            Some(channel) => Ok(channel),
            None => connector.publishing_channel().await,
        };
        match open {
            Ok(open) => {
                if publish(&open, &mut batch).await {
                    channel = Some(open);
                } else {
                    // Close the channel, so that late confirms are not mistaken for those of the next batch.
                    let _ = timeout(CONFIRM_TIMEOUT, open.close(200, "publisher reset".into())).await;
                }
            }
            Err(error) => fail(&mut batch, &error.to_string()),
        }
    }
}

/// Reports a failure to all requests of a batch.
fn fail(batch: &mut Vec<Request>, reason: &str) {
    for request in batch.drain(..) {
        // Sending fails if the caller was dropped, which does not matter.
        let _ = request
            .done
            .send(Err(PublishError::Unconfirmed(reason.to_owned())));
    }
}

/// Publishes a batch and reports the result of each request. Returns false if the channel must not be used any more.
async fn publish(channel: &Channel, batch: &mut Vec<Request>) -> bool {
    match timeout(CONFIRM_TIMEOUT, publish_and_confirm(channel, batch)).await {
        Ok(Ok((acknowledged, returned))) => {
            for (request, acknowledged) in batch.drain(..).zip(acknowledged) {
                let id = message_id(&request.properties);
                let result = match acknowledged {
                    _ if returned.contains(&id) => Err(PublishError::Unroutable {
                        id,
                        queue: request.queue,
                    }),
                    true => Ok(()),
                    false => Err(PublishError::Unconfirmed("rejected by the broker".into())),
                };
                let _ = request.done.send(result);
            }
            true
        }
        Ok(Err(error)) => {
            fail(batch, &error.to_string());
            false
        }
        Err(_) => {
            fail(batch, "no confirm within 5 seconds");
            false
        }
    }
}

/// Publishes a batch. Returns whether each message was acknowledged, and the ids of returned messages.
async fn publish_and_confirm(
    channel: &Channel,
    batch: &[Request],
) -> lapin::Result<(Vec<bool>, HashSet<String>)> {
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let mut confirms = Vec::with_capacity(batch.len());
    for request in batch {
        let queue = request.queue.as_str().into();
        let properties = request.properties.clone();
        confirms.push(
            channel
                .basic_publish("".into(), queue, options, &request.body, properties)
                .await?,
        );
    }
    let (mut acknowledged, mut returned) = (Vec::with_capacity(batch.len()), HashSet::new());
    for confirm in confirms {
        let confirmation = confirm.await?;
        acknowledged.push(matches!(confirmation, Confirmation::Ack(_)));
        if let Some(message) = confirmation.take_message() {
            returned.insert(message_id(&message.delivery.properties));
        }
    }
    Ok((acknowledged, returned))
}

fn message_id(properties: &BasicProperties) -> String {
    properties
        .message_id()
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default()
}
