//! What producer and consumer have in common: where the brokers are, and what becomes of the client's own messages.

use std::{fmt, time::Duration};

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::{KafkaError, KafkaResult},
    metadata::{MetadataPartition, MetadataTopic},
    types::RDKafkaErrorCode,
};

const PATIENCE: Duration = Duration::from_secs(5);

/// Where Kafka is: `host:port`, several separated by commas. An account stands before them: `name:password@host:port`.
///
/// The account is verified by SASL/PLAIN. SCRAM would need OpenSSL, which librdkafka is built without.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Brokers(pub String);

impl fmt::Debug for Brokers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the password.
        f.debug_tuple("Brokers").field(&self.account().1).finish()
    }
}

/// What stands before the name of every topic and group: nothing, or what keeps a test's apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespace(String);

impl Namespace {
    /// Names that begin with `prefix`.
    #[must_use]
    pub fn new(prefix: impl Into<String>) -> Self {
        Self(prefix.into())
    }

    /// The name as Kafka knows it.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }

    /// The name as Souk knows it.
    pub(crate) fn strip<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(&self.0).unwrap_or(name)
    }
}

impl Brokers {
    /// The name and the password of the account, if there is one, and the servers.
    fn account(&self) -> (Option<(&str, &str)>, &str) {
        match self.0.rsplit_once('@') {
            Some((account, servers)) => (Some(account.split_once(':').unwrap_or((account, ""))), servers),
            None => (None, &self.0),
        }
    }

    pub(crate) fn config(&self, client: &str) -> ClientConfig {
        let (account, servers) = self.account();
        let mut config = ClientConfig::new();
        if let Some((name, password)) = account {
            config
                .set("security.protocol", "sasl_plaintext")
                .set("sasl.mechanisms", "PLAIN")
                .set("sasl.username", name)
                .set("sasl.password", password);
        }
        config
            .set("bootstrap.servers", servers)
            .set("client.id", client)
            // A broker that comes back is noticed within a second.
            .set("reconnect.backoff.max.ms", "1000")
            .set_log_level(RDKafkaLogLevel::Warning);
        config
    }
}

/// The client repeats itself for as long as a broker is away. Whoever uses it says it once; this is for finding out more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ConsumerContext for Quiet {}

/// Does work of the client that blocks, and can hang on a broker that is away; `None` if it does. On a thread of its own:
/// the runtime would wait for one of its threads before the process may end.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    apart_within(PATIENCE, work).await
}

/// As [`apart`], with a patience of its own.
pub(crate) async fn apart_within<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || done.send(work()).ok());
    tokio::time::timeout(patience, result).await.ok()?.ok()
}

/// The partitions of a topic; none of one that is not there.
pub(crate) fn partitions<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    patience: Duration,
) -> KafkaResult<Vec<i32>> {
    let metadata = client.fetch_metadata(Some(topic), patience)?;
    let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
    Ok(partitions.map(MetadataPartition::id).collect())
}

/// What the client mends by itself.
pub(crate) fn is_passing(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, OperationTimedOut};
    matches!(code, AllBrokersDown | BrokerTransportFailure | OperationTimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_stands_before_the_servers() {
        let config = Brokers("orders:p@ss:word@one:9092,two:9092".into()).config("test");
        let of = |key| config.get(key).unwrap_or_default();
        assert_eq!(of("bootstrap.servers"), "one:9092,two:9092");
        assert_eq!(
            (of("sasl.username"), of("sasl.password")),
            ("orders", "p@ss:word")
        );
        assert_eq!(
            (of("security.protocol"), of("sasl.mechanisms")),
            ("sasl_plaintext", "PLAIN")
        );
        // The client library accepts them as they were built.
        assert!(config.create::<rdkafka::producer::BaseProducer>().is_ok());
    }

    #[test]
    fn without_an_account_nothing_is_verified() {
        let config = Brokers("one:9092".into()).config("test");
        assert_eq!(config.get("bootstrap.servers"), Some("one:9092"));
        assert_eq!(config.get("security.protocol"), None);
    }

    #[test]
    fn the_password_is_not_logged() {
        let shown = format!("{:?}", Brokers("orders:secret@one:9092".into()));
        assert_eq!(shown, r#"Brokers("one:9092")"#);
    }
}
