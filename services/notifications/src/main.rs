//! The executable: `notifications` runs the service, `notifications migrate` applies the migrations, and `notifications
//! rebuild` rebuilds notifications and sales figures from the events on Kafka.

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use events::Namespace;
use notifications::{
    MIGRATOR, app,
    config::{Config, Migrate},
    consume,
};
use souk_config::ExposeSecret as _;
use souk_http::database;

/// Notifies shoppers and keeps sales figures. Without a command it runs the service.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Applies the database migrations.
    Migrate,
    /// Rebuilds notifications and sales figures from the domain events on Kafka. Sends no mail twice.
    Rebuild,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        None => {
            let config: Config = souk_config::load()?;
            let _telemetry = telemetry::init("notifications", config.log.unwrap_or_default())?;
            app::run(config, souk_http::shutdown_signal()).await
        }
        Some(Command::Migrate) => {
            let config: Migrate = souk_config::load()?;
            let pool = database::pool(config.database_url.expose_secret(), 1)?;
            MIGRATOR.run(&pool).await.context("the migration failed")
        }
        Some(Command::Rebuild) => {
            let config: Config = souk_config::load()?;
            let _telemetry = telemetry::init("notifications", config.log.unwrap_or_default())?;
            let pool = database::pool(config.database_url.expose_secret(), 4).context("SOUK_DATABASE_URL")?;
            let brokers = config
                .kafka_brokers
                .context("SOUK_KAFKA_BROKERS is not set, so there are no events to rebuild from")?;
            consume::rebuild(pool, brokers, Namespace::default(), souk_http::shutdown_signal()).await
        }
    }
}
