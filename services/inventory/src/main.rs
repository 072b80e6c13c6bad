//! The executable: `inventory` runs the service, `inventory accounts` creates the accounts of the MongoDB server,
//! `inventory migrate` prepares the database, and `inventory seed` adds the demo catalog.

use anyhow::{Context as _, bail};
use inventory::{
    accounts::{self, Accounts},
    app,
    config::{Config, TaskConfig},
    database::Database,
    migrate, seed,
};
use secrecy::ExposeSecret as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        None => {
            let config: Config = souk_config::load()?;
            let _telemetry = telemetry::init("inventory", config.log.unwrap_or_default())?;
            app::run(config, souk_http::shutdown_signal()).await
        }
        Some(task @ ("migrate" | "seed")) => {
            let config: TaskConfig = souk_config::load()?;
            let _telemetry = telemetry::init("inventory", config.log.unwrap_or_default())?;
            let db = Database::new(config.mongodb_url.expose_secret())
                .await
                .context("SOUK_MONGODB_URL must be a URL such as mongodb://127.0.0.1:27017/inventory")?;
            match task {
                "migrate" => migrate::run(db.raw()).await,
                _ => seed::run(&db).await,
            }
        }
        Some("accounts") => {
            let config: Accounts = souk_config::load()?;
            let _telemetry = telemetry::init("inventory", config.log.unwrap_or_default())?;
            accounts::run(&config).await
        }
        Some(other) => {
            bail!("unknown command {other}; the commands are `accounts`, `migrate` and `seed`")
        }
    }
}
