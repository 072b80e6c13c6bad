//! The process: `psp` serves, `psp migrate` applies the schema and ends.

use anyhow::Context;
use psp::{App, Deliverer, MIGRATOR, config::Config};
use souk_config::ExposeSecret;
use souk_http::{Admin, database, health::Health};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let command = std::env::args().nth(1);
    if command.as_deref() == Some("migrate") {
        let config: psp::config::Migrate = souk_config::load()?;
        let pool = database::pool(config.database_url.expose_secret(), 1)?;
        return MIGRATOR.run(&pool).await.context("the migration failed");
    }
    anyhow::ensure!(command.is_none(), "usage: psp [migrate]");
    let config: Config = souk_config::load()?;
    let _telemetry = telemetry::init("psp", config.log.unwrap_or_default())?;
    let pool = database::pool(config.database_url.expose_secret(), 16).context("SOUK_DATABASE_URL")?;
    database::observe([("requests", &pool)]);
    let health = Health::new().postgres(&pool);
    let shutdown = souk_http::shutdown_signal();
    let housekeeping = tokio::spawn(psp::housekeeping::run(pool.clone(), shutdown.clone()));
    let app = App::new(pool, config.api_key.clone());
    // It delivers what requests write, so it stops after them.
    let stop_deliverer = CancellationToken::new();
    let deliverer = tokio::spawn(Deliverer::new(&app, &config)?.run(stop_deliverer.clone()));
    let admin = Admin {
        addr: config.admin_addr,
        health,
    };
    let served = souk_http::serve(psp::router(app), config.http_addr, admin, shutdown.clone()).await;
    shutdown.cancel();
    stop_deliverer.cancel();
    housekeeping.await.context("the housekeeping failed")?;
    deliverer.await.context("the webhook deliverer failed")?;
    served
}
