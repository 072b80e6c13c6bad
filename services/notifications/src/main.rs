//! The process: `notifications` serves, `notifications migrate` applies the schema and ends, `notifications rebuild` makes
//! the lists and figures again from the log and ends.

use anyhow::Context;
use events::Namespace;
use notifications::{
    App, MIGRATOR,
    config::{Config, Migrate},
    consume, housekeeping,
    mail::{MailWorker, Sender},
};
use souk_config::ExposeSecret;
use souk_http::{Admin, auth::Verifier, database, health::Health};
use tokio_util::task::TaskTracker;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let command = std::env::args().nth(1);
    if command.as_deref() == Some("migrate") {
        let config: Migrate = souk_config::load()?;
        let pool = database::pool(config.database_url.expose_secret(), 1)?;
        return MIGRATOR.run(&pool).await.context("the migration failed");
    }
    anyhow::ensure!(
        command.as_deref().is_none_or(|command| command == "rebuild"),
        "usage: notifications [migrate | rebuild]"
    );
    let config: Config = souk_config::load()?;
    let _telemetry = telemetry::init("notifications", config.log.unwrap_or_default())?;
    let shutdown = souk_http::shutdown_signal();
    let pool = database::pool(config.database_url.expose_secret(), 16).context("SOUK_DATABASE_URL")?;
    if command.is_some() {
        let brokers = config
            .kafka_brokers
            .context("SOUK_KAFKA_BROKERS is not set: there is no log")?;
        return consume::rebuild(pool, brokers, Namespace::default(), shutdown).await;
    }
    database::observe([("requests", &pool)]);
    let workers = TaskTracker::new();
    workers.spawn(housekeeping::run(pool.clone(), shutdown.clone()));
    if let Some(url) = &config.smtp_url {
        let sender = Sender::new(url.expose_secret(), &config.mail_from, &config.shop_url)?;
        workers.spawn(MailWorker::new(pool.clone(), sender).run(shutdown.clone()));
    }
    if let Some(brokers) = config.kafka_brokers {
        let pool = pool.clone();
        workers.spawn(consume::run(
            pool,
            brokers,
            Namespace::default(),
            shutdown.clone(),
        ));
    }
    let admin = Admin {
        addr: config.admin_addr,
        health: Health::new().postgres(&pool),
    };
    let app = App {
        pool,
        verifier: Verifier::new(config.jwks_url),
    };
    souk_http::serve(notifications::router(app), config.http_addr, admin, shutdown).await?;
    workers.close();
    workers.wait().await;
    Ok(())
}
