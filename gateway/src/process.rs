//! The process: settings, start and end.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use souk_http::{Admin, health::Health};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Gateway, config::Config, listen, open_files};

/// `SOUK_*`. Other keys are not refused here: the file may name any of them in `${…}`.
#[derive(Debug, Deserialize)]
struct Settings {
    /// The `gateway.yaml`.
    gateway_config: PathBuf,
    /// Where health and metrics are.
    admin_addr: SocketAddr,
    /// Form of the log.
    #[serde(default)]
    log: telemetry::LogFormat,
}

/// Serves until the process is told to stop, and then until the last request is answered.
pub async fn serve() -> Result<()> {
    let settings: Settings = souk_config::load()?;
    let _telemetry = telemetry::init("gateway", settings.log)?;
    open_files::raise_limit();
    let file = &settings.gateway_config;
    let config = Config::read(file).with_context(|| file.display().to_string())?;
    for (name, listener) in &config.listeners {
        souk_config::check_listener(&format!("the listener `{name}`"), listener.bind)?;
    }
    let gateway = Gateway::new(config)?;
    let stop = souk_http::shutdown_signal();
    let tasks = TaskTracker::new();
    gateway.spawn_background(&tasks, &stop);
    let threads = listen::start(&gateway, &stop)?;
    let (ready, draining) = (gateway.clone(), gateway.clone());
    let health = Health::new().check("gateway", move || {
        let ready = ready.ready();
        async move {
            if ready {
                Ok(())
            } else {
                Err(anyhow::anyhow!("no token keys yet, or draining"))
            }
        }
    });
    let admin = Admin {
        addr: settings.admin_addr,
        health,
    };
    let watched = stop.clone();
    tasks.spawn(async move {
        watched.cancelled().await;
        draining.drain();
    });
    // Operators see it until the last request is answered.
    let done = CancellationToken::new();
    let admin = tokio::spawn(souk_http::serve_admin(admin, done.clone()));
    tokio::task::spawn_blocking(move || listen::join(threads)).await??;
    done.cancel();
    admin.await??;
    tasks.close();
    tasks.wait().await;
    Ok(())
}
