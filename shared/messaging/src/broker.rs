//! The connections to RabbitMQ: one for publishing and one for consuming, so that a broker that blocks publishers does not
//! stop acknowledgements. Both come back by themselves, for ever, and declare the topology again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicQosOptions, ConfirmSelectOptions, QueueDeclareOptions},
    protocol::constants::REPLY_SUCCESS,
    types::FieldTable,
};
use telemetry::TraceContext;
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};
use tracing::{Instrument, field::Empty, info, info_span, warn};

use crate::{Namespace, Outgoing, PublishError, metrics, publisher, topology};

/// How long the broker may take to answer, or to connect.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The URL is not `amqp://…` or `amqps://…`. (It is not repeated here: it carries a password.)
#[derive(Debug, thiserror::Error)]
#[error("the broker's URL is not valid: {0}")]
pub struct InvalidUrl(String);

/// A way to RabbitMQ that outlives its connections.
#[derive(Debug)]
pub struct Broker {
    app_id: &'static str,
    connector: Connector,
    requests: mpsc::Sender<publisher::Request>,
}

impl Broker {
    /// A broker at `url`, known there as `app_id`. That it is away now is not an error, a wrong URL is.
    pub async fn connect(
        url: &str,
        app_id: &'static str,
        namespace: Namespace,
    ) -> Result<Arc<Self>, InvalidUrl> {
        url.parse::<lapin::uri::AMQPUri>().map_err(InvalidUrl)?;
        let connector = Connector {
            url: url.into(),
            app_id,
            namespace,
            publishing: Arc::default(),
            consuming: Arc::default(),
        };
        let (requests, waiting) = mpsc::channel(1024);
        tokio::spawn(publisher::run(connector.clone(), waiting));
        let this = Arc::new(Self {
            app_id,
            connector,
            requests,
        });
        if let Err(error) = this.check().await {
            warn!(%error, "the broker is away for now");
        }
        Ok(this)
    }

    /// Publishes a message and waits until the broker has it for good.
    pub async fn publish(&self, message: &Outgoing) -> Result<(), PublishError> {
        let span = message.trace.child(|| {
            info_span!(
                "send",
                otel.name = format!("send {}", message.queue),
                otel.kind = "producer",
                otel.status_code = Empty,
                messaging.system = "rabbitmq",
                messaging.operation.name = "send",
                messaging.operation.type = "send",
                messaging.destination.name = message.queue,
                messaging.rabbitmq.destination.routing_key = message.queue,
                messaging.message.id = %message.id,
                messaging.message.conversation_id = %message.correlation_id,
                saga_id = %message.correlation_id,
                error.type = Empty,
            )
        });
        async {
            let started = Instant::now();
            let sent = TraceContext::current();
            // The receiver's span becomes a child of where the message was created; the send is its sibling, and linked.
            let trace = if message.trace == TraceContext::default() {
                TraceContext::current()
            } else {
                message.trace.clone()
            };
            let properties = message.properties(self.app_id, &trace, &sent);
            let body = serde_json::to_vec(&message.body).unwrap_or_default();
            let queue = self.connector.namespace.queue(&message.queue);
            let result = self.publish_raw(queue, properties, body).await;
            let outcome = metrics::outcome(result.as_ref().copied());
            metrics::PUBLISHED
                .of([("queue", &message.queue), ("outcome", outcome)])
                .inc();
            metrics::PUBLISH_DURATION
                .of([("queue", &message.queue)])
                .observe(started.elapsed().as_secs_f64());
            if result.is_err() {
                let span = tracing::Span::current();
                span.record("otel.status_code", "ERROR");
                span.record("error.type", outcome);
            }
            result
        }
        .instrument(span)
        .await
    }

    /// Publishes bytes to a queue by its name on the broker.
    pub(crate) async fn publish_raw(
        &self,
        queue: String,
        properties: BasicProperties,
        body: Vec<u8>,
    ) -> Result<(), PublishError> {
        let (done, answer) = oneshot::channel();
        let gone = || PublishError::Unconfirmed("the publisher has stopped".into());
        let request = publisher::Request {
            queue,
            properties,
            body,
            done,
        };
        self.requests.send(request).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Whether the broker answers: what readiness asks.
    pub async fn check(&self) -> Result<(), lapin::Error> {
        self.connector
            .connection(&self.connector.publishing)
            .await
            .map(drop)
    }

    /// How many messages wait in `queue` for a consumer. Messages that a consumer is working on are not counted. A queue that
    /// does not exist has none.
    pub async fn backlog(&self, queue: &str) -> Result<u32, lapin::Error> {
        let channel = self.connector.connection(&self.connector.publishing).await?;
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let name = self.connector.namespace.queue(queue);
        match channel
            .queue_declare(name.into(), passive, FieldTable::default())
            .await
        {
            Ok(queue) => {
                channel.close(REPLY_SUCCESS, "counted".into()).await?;
                Ok(queue.message_count())
            }
            // The broker has closed the channel.
            Err(error) if error.is_amqp_soft_error() => {
                warn!(queue, %error, "the broker does not say how many messages wait");
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// The prefix of its queues.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.connector.namespace
    }
}

/// Waits for the broker's answer, but not for ever: one that is asked while its connection is being lost may never come.
pub(crate) async fn in_time<T>(answer: impl Future<Output = lapin::Result<T>>) -> lapin::Result<T> {
    let late = || std::io::Error::new(std::io::ErrorKind::TimedOut, "the broker did not answer in time");
    timeout(ANSWER_TIMEOUT, answer).await.map_err(|_| late())?
}

type Slot = Arc<Mutex<Option<Connection>>>;

/// Opens channels, over a connection that is made again when it was lost.
#[derive(Clone)]
pub(crate) struct Connector {
    url: Arc<str>,
    app_id: &'static str,
    pub(crate) namespace: Namespace,
    publishing: Slot,
    consuming: Slot,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL carries a password.
        f.debug_struct("Connector")
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

impl Connector {
    pub(crate) async fn publishing_channel(&self) -> lapin::Result<Channel> {
        let channel = self.connection(&self.publishing).await?;
        in_time(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(channel)
    }

    pub(crate) async fn consuming_channel(&self, prefetch: u16) -> lapin::Result<Channel> {
        let channel = self.connection(&self.consuming).await?;
        in_time(channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        Ok(channel)
    }

    /// A new channel on the connection in `slot`; a new connection, and the topology, when that one is gone.
    async fn connection(&self, slot: &Slot) -> lapin::Result<Channel> {
        let mut slot = slot.lock().await;
        if let Some(connection) = slot.as_ref().filter(|connection| connection.status().connected()) {
            return in_time(connection.create_channel()).await;
        }
        let options = ConnectionProperties::default().with_connection_name(self.app_id.into());
        let connect = async {
            let connection = Connection::connect(&self.url, options).await?;
            topology::declare(&connection, &self.namespace, self.app_id).await?;
            let channel = connection.create_channel().await?;
            Ok::<_, lapin::Error>((connection, channel))
        };
        let (connection, channel) = in_time(connect).await?;
        info!("connected to the broker");
        *slot = Some(connection);
        Ok(channel)
    }
}
