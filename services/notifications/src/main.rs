//! The process: `notifications` serves, `notifications migrate` applies the schema and ends, `notifications rebuild` makes
//! the lists and figures again from the log and ends.

use anyhow::Context;
use clap::{Parser, Subcommand};
use events::Namespace;
use notifications::{
    MIGRATOR, app,
    config::{Config, Migrate},
    consume,
};
use souk_config::ExposeSecret;
use souk_http::database;

/// Tells shoppers what happened. Without a command it serves.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Applies the schema.
    Migrate,
    /// Makes the lists and figures again from the log of domain events. Sends nothing again.
    Rebuild,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let command = Arguments::parse().command;
    if matches!(command, Some(Command::Migrate)) {
        let config: Migrate = souk_config::load()?;
        let pool = database::pool(config.database_url.expose_secret(), 1)?;
        return MIGRATOR.run(&pool).await.context("the migration failed");
    }
    let config: Config = souk_config::load()?;
    let _telemetry = telemetry::init("notifications", config.log.unwrap_or_default())?;
    let shutdown = souk_http::shutdown_signal();
    let pool = database::pool(config.database_url.expose_secret(), 16).context("SOUK_DATABASE_URL")?;
    if command.is_none() {
        return app::run(config, pool, shutdown).await;
    }
    let brokers = config
        .kafka_brokers
        .context("SOUK_KAFKA_BROKERS is not set: there is no log")?;
    consume::rebuild(pool, brokers, Namespace::default(), shutdown).await
}
