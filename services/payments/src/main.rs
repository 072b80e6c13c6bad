//! The process: `payments` serves, `payments migrate` applies the schema and ends.

use std::sync::Arc;

use anyhow::Context;
use contracts::{events::PaymentEvent, saga::queues};
use events::Relay;
use messaging::{Broker, Namespace, outbox::Outbox};
use payments::{App, Commands, MIGRATOR, Provider, RefundWorker, config::Config};
use souk_config::ExposeSecret;
use souk_http::{Admin, auth::Verifier, database, health::Health};
use tokio_util::task::TaskTracker;

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
    let shutdown = souk_http::shutdown_signal();
    let pool = database::pool(config.database_url.expose_secret(), 32).context("SOUK_DATABASE_URL")?;
    database::observe([("requests", &pool)]);
    let broker = Broker::connect(config.amqp_url.expose_secret(), "payments", Namespace::default()).await?;
    let app = App {
        outbox: Outbox::new(pool.clone(), broker.clone()),
        provider: Provider::new(&config.psp_url, config.psp_api_key.clone())?,
        verifier: Verifier::new(config.jwks_url.clone()),
        webhook_secrets: config.psp_webhook_secrets.into(),
        pool,
    };
    let workers = TaskTracker::new();
    let (relay, stop) = (app.outbox.clone(), shutdown.clone());
    workers.spawn(async move { relay.run(stop).await });
    if let Some(brokers) = &config.kafka_brokers {
        let relay = Relay::new::<PaymentEvent>(app.pool.clone(), brokers, &events::Namespace::default());
        workers.spawn(relay.run(shutdown.clone()));
    }
    let are_told = config.kafka_brokers.is_some();
    workers.spawn(payments::housekeeping::run(
        app.pool.clone(),
        are_told,
        shutdown.clone(),
    ));
    workers.spawn(RefundWorker::new(app.clone()).run(shutdown.clone()));
    let (commands, stop) = (Arc::new(Commands::new(app.clone())), shutdown.clone());
    workers.spawn(async move { messaging::consume(broker, queues::PAYMENTS, 32, commands, stop).await });
    let admin = Admin {
        addr: config.admin_addr,
        health: Health::new().postgres(&app.pool),
    };
    souk_http::serve(payments::router(app), config.http_addr, admin, shutdown).await?;
    workers.close();
    workers.wait().await;
    Ok(())
}
