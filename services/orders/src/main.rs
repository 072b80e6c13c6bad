//! The executable: `orders` runs the service, `orders migrate` applies the database migrations and exits.

use anyhow::Context as _;
use orders::{
    MIGRATOR, app,
    config::{Config, Migrate},
};
use souk_config::ExposeSecret as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let command = std::env::args().nth(1);
    match command.as_deref() {
        None => {
            let config: Config = souk_config::load()?;
            let _telemetry = telemetry::init("orders", config.log.unwrap_or_default())?;
            app::run(config, souk_http::shutdown_signal()).await
        }
        Some("migrate") => {
            let config: Migrate = souk_config::load()?;
            let _telemetry = telemetry::init("orders", config.log.unwrap_or_default())?;
            let pool = souk_http::database::pool(config.database_url.expose_secret(), 1)?;
            MIGRATOR.run(&pool).await.context("the migration failed")
        }
        Some(_) => anyhow::bail!("usage: orders [migrate]"),
    }
}
