//! The connections to RabbitMQ: one for publishing and one for consuming, so that acknowledgements still work while the
//! broker blocks publishers. Both reconnect on demand, and declare the topology on each new connection.

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

/// How long the broker may take to respond to a request or to accept a connection.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Error: the URL is not of the form `amqp://…` or `amqps://…`. The error omits the URL because it contains a password.
#[derive(Debug, thiserror::Error)]
#[error("the URL of the message broker is not valid: {0}")]
pub struct InvalidUrl(String);

/// A client of the RabbitMQ broker. It reconnects whenever a connection is lost.
#[derive(Debug)]
pub struct Broker {
    app_id: &'static str,
    connector: Connector,
    requests: mpsc::Sender<publisher::Request>,
}

impl Broker {
    /// Creates a client for the broker at `url`, to which it identifies itself as `app_id`. Fails only if the URL is invalid.
    /// An unavailable broker is not an error, since the client connects later.
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
            warn!(%error, "the message broker is unavailable; will connect later");
        }
        Ok(this)
    }

    /// Publishes a message and waits for the broker's confirm, which means that the message is stored.
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
            // The receiver's span is a child of the span that created the message, and has a link to the send span.
            let trace = if message.trace == TraceContext::default() {
                TraceContext::current()
            } else {
                message.trace.clone()
            };
            let properties = message.properties(self.app_id, &trace, &sent);
            let body = serde_json::to_vec(&message.body).unwrap_or_default();
            let queue = self.connector.namespace.name(&message.queue);
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

    /// Publishes a raw body to a queue, which is given by its name on the broker.
    pub(crate) async fn publish_raw(
        &self,
        queue: String,
        properties: BasicProperties,
        body: Vec<u8>,
    ) -> Result<(), PublishError> {
        let (done, response) = oneshot::channel();
        let stopped = || PublishError::Unconfirmed("the publisher has stopped".into());
        let request = publisher::Request {
            queue,
            properties,
            body,
            done,
        };
        self.requests.send(request).await.map_err(|_| stopped())?;
        response.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Checks that the broker responds, for readiness checks.
    pub async fn check(&self) -> Result<(), lapin::Error> {
        self.connector
            .connection(&self.connector.publishing)
            .await
            .map(drop)
    }

    /// Returns the number of messages in `queue` that are ready to be delivered. Delivered messages that are not acknowledged
    /// yet are not counted. Returns 0 if the queue does not exist.
    pub async fn backlog(&self, queue: &str) -> Result<u32, lapin::Error> {
        let channel = self.connector.connection(&self.connector.publishing).await?;
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let name = self.connector.namespace.name(queue);
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
                warn!(queue, %error, "the broker did not report the number of messages; assuming 0");
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// The prefix of the queues' names on the broker.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.connector.namespace
    }
}

/// Limits the time to wait for a response of the broker. The client may never return one if the connection is lost meanwhile.
pub(crate) async fn with_timeout<T>(response: impl Future<Output = lapin::Result<T>>) -> lapin::Result<T> {
    let timed_out =
        || std::io::Error::new(std::io::ErrorKind::TimedOut, "the broker did not respond in time");
    timeout(RESPONSE_TIMEOUT, response)
        .await
        .map_err(|_| timed_out())?
}

type Slot = Arc<Mutex<Option<Connection>>>;

/// Opens channels, and replaces connections that were lost.
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
        // The URL is omitted because it contains a password.
        f.debug_struct("Connector")
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

impl Connector {
    pub(crate) async fn publishing_channel(&self) -> lapin::Result<Channel> {
        let channel = self.connection(&self.publishing).await?;
        with_timeout(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(channel)
    }

    pub(crate) async fn consuming_channel(&self, prefetch: u16) -> lapin::Result<Channel> {
        let channel = self.connection(&self.consuming).await?;
        with_timeout(channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        Ok(channel)
    }

    /// Opens a channel on the connection in `slot`. If that connection is lost, connects and declares the topology first.
    async fn connection(&self, slot: &Slot) -> lapin::Result<Channel> {
        let mut slot = slot.lock().await;
        if let Some(connection) = slot.as_ref().filter(|connection| connection.status().connected()) {
            return with_timeout(connection.create_channel()).await;
        }
        let options = ConnectionProperties::default().with_connection_name(self.app_id.into());
        let connect = async {
            let connection = Connection::connect(&self.url, options).await?;
            topology::declare(&connection, &self.namespace, self.app_id).await?;
            let channel = connection.create_channel().await?;
            Ok::<_, lapin::Error>((connection, channel))
        };
        let (connection, channel) = with_timeout(connect).await?;
        info!("connected to the message broker");
        *slot = Some(connection);
        Ok(channel)
    }
}
