//! Common parts of producer and consumer: the broker addresses, the client's log messages and blocking calls.

use std::{fmt, time::Duration};

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::{KafkaError, KafkaResult},
    metadata::{MetadataPartition, MetadataTopic},
    types::RDKafkaErrorCode,
};

const TIMEOUT: Duration = Duration::from_secs(5);

/// Addresses of the Kafka brokers as `host:port`, separated by commas. An optional account precedes them:
/// `name:password@host:port`.
///
/// The account is authenticated by SASL/PLAIN. SCRAM would require librdkafka to be built with OpenSSL.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Brokers(pub String);

impl fmt::Debug for Brokers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The account is omitted because it contains the password.
        f.debug_tuple("Brokers").field(&self.account().1).finish()
    }
}

impl Brokers {
    /// Splits into name and password of the account, if there is one, and the broker addresses.
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
            // Reconnect within a second after a broker has recovered.
            .set("reconnect.backoff.max.ms", "1000")
            .set_log_level(RDKafkaLogLevel::Warning);
        config
    }
}

/// Logs the messages of librdkafka at debug level. The client repeats its errors for as long as a broker is unavailable;
/// the code that uses it logs each outage once instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DebugLogging;

impl ClientContext for DebugLogging {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ConsumerContext for DebugLogging {}

/// Runs a blocking call of the client, which can hang while a broker is unavailable; returns `None` if it takes longer than
/// 5 seconds. Uses a new thread, because the runtime waits for its own blocking threads when the process ends.
pub(crate) async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    run_blocking_within(TIMEOUT, work).await
}

/// Like [`run_blocking`], with the given timeout.
pub(crate) async fn run_blocking_within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || done.send(work()).ok());
    tokio::time::timeout(limit, result).await.ok()?.ok()
}

/// Returns the partitions of a topic. Empty if the topic does not exist.
pub(crate) fn partitions<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    limit: Duration,
) -> KafkaResult<Vec<i32>> {
    let metadata = client.fetch_metadata(Some(topic), limit)?;
    let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
    Ok(partitions.map(MetadataPartition::id).collect())
}

/// Whether the client recovers from this error by itself.
pub(crate) fn is_transient(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, OperationTimedOut};
    matches!(code, AllBrokersDown | BrokerTransportFailure | OperationTimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_before_the_addresses_enables_sasl() {
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
        // The client library is built with support for these settings.
        assert!(config.create::<rdkafka::producer::BaseProducer>().is_ok());
    }

    #[test]
    fn without_an_account_sasl_is_disabled() {
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
