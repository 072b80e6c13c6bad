//! The process: `users` serves, `users migrate` applies migrations with the owner's account, `users seed` adds the
//! demo's accounts, `users rotate-keys` prepares the next signing key.

use anyhow::{Context, bail, ensure};
use contracts::events::UserEvent;
use events::Relay;
use souk_config::ExposeSecret;
use souk_http::{Admin, database, health::Health};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use users::{app, config::Settings, housekeeping, keyring, mail, seed};

// A password's 19 MiB go back when its hash is made: the system's allocator keeps them, once for each thread that hashed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings: Settings = souk_config::load()?;
    let _telemetry = telemetry::init("users", settings.log)?;
    let pool = database::pool(
        settings.database_url.expose_secret(),
        settings.database_connections,
    )
    .context("SOUK_DATABASE_URL is not a PostgreSQL URL")?;
    let command = std::env::args().nth(1);
    match command.as_deref() {
        None => {}
        Some("migrate") => return users::MIGRATOR.run(&pool).await.context("cannot migrate"),
        Some("seed") => {
            ensure!(
                settings.demo,
                "the seed's passwords are public: it needs SOUK_DEMO=true"
            );
            return seed::run(&pool).await.context("cannot seed");
        }
        Some("rotate-keys") => {
            let secret = settings.key_encryption_secret()?;
            return keyring::rotate(&pool, &secret).await.context("cannot rotate");
        }
        Some(other) => bail!("unknown command {other}; there are migrate, seed and rotate-keys"),
    }
    database::observe([("requests", &pool)]);
    let shutdown = souk_http::shutdown_signal();
    let state = app::State::new(&settings, pool.clone())?;
    let workers = TaskTracker::new();
    // The relay publishes what requests and workers write, so it stops after them.
    let (relays, stop_relays) = (TaskTracker::new(), CancellationToken::new());
    workers.spawn(state.keyring.clone().run(shutdown.clone()));
    let tokens = state.mail_tokens.clone();
    workers.spawn(mail::requests::run(pool.clone(), tokens, shutdown.clone()));
    if let Some(brokers) = &settings.kafka_brokers {
        let relay = Relay::new::<UserEvent>(pool.clone(), brokers, &events::Namespace::default());
        relays.spawn(relay.run(stop_relays.clone()));
    }
    let are_told = settings.kafka_brokers.is_some();
    workers.spawn(housekeeping::run(pool.clone(), are_told, shutdown.clone()));
    let ready = state.keyring.clone();
    let health = Health::new().postgres(&pool).check("signing key", move || {
        let keyring = ready.clone();
        async move { keyring.ready().await }
    });
    let admin = Admin {
        addr: settings.admin_addr,
        health,
    };
    let served = souk_http::serve(app::router(state), settings.http_addr, admin, shutdown.clone()).await;
    shutdown.cancel();
    workers.close();
    workers.wait().await;
    stop_relays.cancel();
    relays.close();
    relays.wait().await;
    pool.close().await;
    served
}
