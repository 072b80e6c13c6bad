//! Confirmed publishing. One task owns the channel and publishes what is waiting in batches, all confirms of a batch in
//! flight together. An unroutable message is found by its id, since the client pairs returned messages first-in first-out.

use std::{collections::HashSet, time::Duration};

use lapin::{BasicProperties, Channel, Confirmation, options::BasicPublishOptions};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::broker::Connector;

/// Messages published before their confirms are awaited.
const BATCH: usize = 256;
/// How long a batch may wait for its confirms; a blocked or dead broker then counts as away.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a message is not with the broker, as far as we know.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// No queue takes it; it would have been dropped.
    #[error("message {id} to {queue} is unroutable")]
    Unroutable {
        /// The message.
        id: String,
        /// The queue that does not exist.
        queue: String,
    },
    /// The broker did not confirm it: try again.
    #[error("the broker did not confirm: {0}")]
    Unconfirmed(String),
}

/// One message for the publishing task.
pub(crate) struct Request {
    pub(crate) queue: String,
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
    pub(crate) done: oneshot::Sender<Result<(), PublishError>>,
}

/// Publishes until every sender is gone.
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
                    // Whatever state it is in, late confirms on it must not be taken for the next batch's.
                    let _ = timeout(PATIENCE, open.close(200, "publisher reset".into())).await;
                }
            }
            Err(error) => refuse(&mut batch, &error.to_string()),
        }
    }
}

fn refuse(batch: &mut Vec<Request>, reason: &str) {
    for request in batch.drain(..) {
        // A caller that no longer waits has lost interest in the answer, not in the message.
        let _ = request
            .done
            .send(Err(PublishError::Unconfirmed(reason.to_owned())));
    }
}

/// Publishes a batch and answers each request; false when the channel cannot be trusted any more.
async fn publish(channel: &Channel, batch: &mut Vec<Request>) -> bool {
    match timeout(PATIENCE, confirmed(channel, batch)).await {
        Ok(Ok((acknowledged, returned))) => {
            for (request, acknowledged) in batch.drain(..).zip(acknowledged) {
                let id = message_id(&request.properties);
                let result = match acknowledged {
                    _ if returned.contains(&id) => Err(PublishError::Unroutable {
                        id,
                        queue: request.queue,
                    }),
                    true => Ok(()),
                    false => Err(PublishError::Unconfirmed("refused by the broker".into())),
                };
                let _ = request.done.send(result);
            }
            true
        }
        Ok(Err(error)) => {
            refuse(batch, &error.to_string());
            false
        }
        Err(_) => {
            refuse(batch, "no confirm in time");
            false
        }
    }
}

/// Whether each message of the batch was acknowledged, and the ids of those that came back.
async fn confirmed(channel: &Channel, batch: &[Request]) -> lapin::Result<(Vec<bool>, HashSet<String>)> {
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
