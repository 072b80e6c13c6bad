//! The binary: `psp` runs the server; `psp migrate` applies the database migrations and exits.

use anyhow::Context as _;
use psp::{
    MIGRATOR, app,
    config::{Config, Migrate},
};
use souk_config::ExposeSecret as _;
use souk_http::database;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => {
            let config: Config = souk_config::load()?;
            let _telemetry = telemetry::init("psp", config.log.unwrap_or_default())?;
            app::run(config, souk_http::shutdown_signal()).await
        }
        Some("migrate") => {
            let config: Migrate = souk_config::load()?;
            let pool = database::pool(config.database_url.expose_secret(), 1)?;
            MIGRATOR.run(&pool).await.context("the migration failed")
        }
        Some(_) => anyhow::bail!("usage: psp [migrate]"),
    }
}
