//! The process: `payments` serves, `payments migrate` applies the schema and ends.

use anyhow::Context;
use payments::{MIGRATOR, app, config::Config};
use souk_config::ExposeSecret;
use souk_http::database;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let command = std::env::args().nth(1);
    if command.as_deref() == Some("migrate") {
        let config: payments::config::Migrate = souk_config::load()?;
        let pool = database::pool(config.database_url.expose_secret(), 1)?;
        return MIGRATOR.run(&pool).await.context("the migration failed");
    }
    anyhow::ensure!(command.is_none(), "usage: payments [migrate]");
    let config: Config = souk_config::load()?;
    let _telemetry = telemetry::init("payments", config.log.unwrap_or_default())?;
    config.check()?;
    app::run(config, souk_http::shutdown_signal()).await
}
