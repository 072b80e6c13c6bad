//! `souk-topics`: creates the topics of the domain events on the Kafka at `SOUK_KAFKA_BROKERS`, and ends.

use events::{Brokers, Namespace, topics};

/// Other settings are not its business.
#[derive(Debug, serde::Deserialize)]
struct Config {
    /// `SOUK_KAFKA_BROKERS`.
    kafka_brokers: Brokers,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config: Config = souk_config::load()?;
    topics::create(&config.kafka_brokers, &Namespace::default()).await
}
