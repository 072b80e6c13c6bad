//! The binary: `users` runs the service, `users migrate` applies the database migrations, `users seed` adds the demo
//! accounts, and `users rotate-keys` publishes the next signing key.

use anyhow::{Context as _, bail, ensure};
use users::{MIGRATOR, app, config::Config, keyring, seed};

// Hashing a password takes 19 MiB. The system's allocator would keep them for every thread that hashed; mimalloc returns
// them to the operating system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config: Config = souk_config::load()?;
    let _telemetry = telemetry::init("users", config.log)?;
    match std::env::args().nth(1).as_deref() {
        None => app::run(config, souk_http::shutdown_signal()).await,
        Some("migrate") => {
            let pool = app::pool(&config)?;
            MIGRATOR.run(&pool).await.context("cannot apply the migrations")
        }
        Some("seed") => {
            ensure!(
                config.demo,
                "the passwords of the demo accounts are public, so seeding requires SOUK_DEMO=true"
            );
            let pool = app::pool(&config)?;
            seed::run(&pool).await.context("cannot add the demo accounts")
        }
        Some("rotate-keys") => {
            let (pool, secret) = (app::pool(&config)?, config.key_encryption_secret()?);
            keyring::rotate(&pool, &secret)
                .await
                .context("cannot rotate the signing keys")
        }
        Some(other) => bail!("unknown command {other}; expected migrate, seed or rotate-keys"),
    }
}
