//! The gateway process: reads its settings, starts the listeners and the admin port, and shuts down in order.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use souk_http::{Admin, health::Health};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::{Config, environment},
    serve::{self, Gateway},
};

/// Settings from the `SOUK_*` environment variables. Unknown variables are allowed, because `gateway.yaml` may refer to
/// any of them as `${…}`.
#[derive(Debug, Deserialize)]
struct Settings {
    /// Path of `gateway.yaml`.
    gateway_config: PathBuf,
    /// Address that serves health checks and metrics, for operators only.
    admin_addr: SocketAddr,
    /// Format of the log lines.
    #[serde(default)]
    log: telemetry::LogFormat,
}

/// Serves until the process receives a shutdown signal, and then until the last request has completed or the drain
/// timeout has passed.
pub async fn run() -> Result<()> {
    let settings: Settings = souk_config::load()?;
    let _telemetry = telemetry::init("gateway", settings.log)?;
    serve::raise_limit();
    let file = &settings.gateway_config;
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let config = Config::parse(&text, environment).with_context(|| file.display().to_string())?;
    let config = config.in_folder(file.parent().unwrap_or(Path::new("")));
    for (name, listener) in &config.listeners {
        souk_config::check_listener(&format!("the listener `{name}`"), listener.bind)?;
    }
    let gateway = Gateway::new(config)?;
    let stop = souk_http::shutdown_signal();
    let tasks = TaskTracker::new();
    gateway.spawn_background(&tasks, &stop);
    let threads = serve::start(&gateway, &stop)?;
    let (followed, file, stopped) = (gateway.clone(), file.clone(), stop.clone());
    tasks.spawn(async move {
        let follow = serve::follow(&followed, &file, text);
        if let Some(Err(error)) = stopped.run_until_cancelled(follow).await {
            tracing::error!(%error, "changes of the configuration file are not noticed");
        }
    });
    let (ready, draining) = (gateway.clone(), gateway.clone());
    let health = Health::new().check("gateway", move || {
        let ready = ready.ready();
        async move {
            if ready {
                Ok(())
            } else {
                Err(anyhow::anyhow!(
                    "token keys are not loaded yet, or the gateway is draining"
                ))
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
    // The admin port stays open until the last request has completed, so that operators can watch the shutdown.
    let done = CancellationToken::new();
    let admin = tokio::spawn(souk_http::serve_admin(
        admin,
        serve::dashboard(gateway.clone()),
        done.clone(),
    ));
    tokio::task::spawn_blocking(move || serve::join(threads)).await??;
    done.cancel();
    admin.await??;
    tasks.close();
    tasks.wait().await;
    Ok(())
}
