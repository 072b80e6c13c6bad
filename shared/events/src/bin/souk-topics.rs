//! `souk-topics` creates the topics of the domain events on the brokers of `SOUK_KAFKA_BROKERS`, and exits.

use events::{Brokers, Namespace, topics};

/// The settings of this program.
#[derive(Debug, serde::Deserialize)]
struct Config {
    /// `SOUK_KAFKA_BROKERS`: the addresses of the brokers, see [`Brokers`].
    kafka_brokers: Brokers,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config: Config = souk_config::load()?;
    topics::create(&config.kafka_brokers, &Namespace::default()).await
}
