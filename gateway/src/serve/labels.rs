//! Routes that containers declare by their labels; see [`DockerRoutes`]. They are added to each configuration of the file, and
//! the configuration is replaced when they change.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::Gateway;
use crate::{
    config::{Config, DockerRoutes, OF_CONTAINERS, Route, Upstream},
    snapshot,
    upstream::{Labels, RETRY_INTERVAL, changed_labels},
};

/// The label that makes a container part of a route; its value is the path.
const ROUTE: &str = "souk.route";
/// The label that names the service of a container, and the one by which Compose names it.
const SERVICES: [&str; 2] = ["souk.service", "com.docker.compose.service"];
/// The methods of a route without the label `souk.methods`.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Replaces the configuration whenever the labels of containers change, for as long as this is polled.
pub(super) async fn follow(gateway: Arc<Gateway>) {
    loop {
        let snapshot = Arc::clone(&gateway.snapshot());
        let changed = async {
            let Some(rules) = &snapshot.config.docker_routes else {
                return std::future::pending().await;
            };
            changed_labels(&rules.engine, ROUTE, &gateway.labels().await).await
        };
        let found = tokio::select! {
            found = changed => found,
            () = snapshot.until_replaced() => continue,
        };
        match found {
            Ok(labels) => gateway.set_labels(labels).await,
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "the labels of containers cannot be read; keeping their routes and retrying in 1 s"
                );
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        }
    }
}

/// Returns the configuration of the file alone, without the routes of containers.
pub(super) fn without_labels(config: &Config) -> Config {
    let mut config = config.clone();
    config.routes.retain(|name, _| !name.starts_with(OF_CONTAINERS));
    config
        .upstreams
        .retain(|name, _| !name.starts_with(OF_CONTAINERS));
    config
}

/// Adds the routes that containers declare. One that is not valid is logged and left out, so that it affects no other. Of the
/// containers of one service, the first decides.
pub(super) fn with_labels(mut config: Config, containers: &[Labels]) -> Config {
    let Some(rules) = config.docker_routes.clone() else {
        return config;
    };
    if snapshot::check(&config).is_err() {
        // The error is in the file, not in the labels of the containers; compiling the configuration reports it.
        return config;
    }
    for labels in containers {
        match declared(labels, &rules) {
            Ok((name, ..)) if config.routes.contains_key(&name) => {}
            Ok((name, route, upstream)) => {
                let mut next = config.clone();
                next.routes.insert(name.clone(), route);
                next.upstreams.insert(name.clone(), upstream);
                match snapshot::check(&next) {
                    Ok(()) => config = next,
                    Err(error) => {
                        tracing::warn!(route = name, %error, "the route of a container is left out");
                    }
                }
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(?labels, error, "the labels of a container make no route");
            }
        }
    }
    config
}

/// The route of a container with its name, and the upstream, which has the same name.
fn declared(labels: &Labels, rules: &DockerRoutes) -> anyhow::Result<(String, Route, Upstream)> {
    let path = labels.get(ROUTE).context("`souk.route` is missing")?;
    let (label, service) = SERVICES
        .iter()
        .find_map(|label| Some((label, labels.get(*label)?)))
        .context("`souk.service` is missing")?;
    ensure!(!service.is_empty(), "`{label}` is empty");
    let port = labels.get("souk.port").context("`souk.port` is missing")?;
    let port: u16 = port
        .parse()
        .with_context(|| format!("`{port}` in `souk.port` is not a port"))?;
    let name = format!("{OF_CONTAINERS}{service}");
    let list = |label: &str| -> Option<Vec<&str>> {
        let items = labels.get(label)?.split(',').map(str::trim);
        Some(items.filter(|item| !item.is_empty()).collect())
    };
    let uses =
        list("souk.use").unwrap_or_else(|| rules.uses.iter().map(|name| name.value.as_str()).collect());
    let route = json!({
        "match": {
            "path": path,
            "methods": list("souk.methods").unwrap_or_else(|| METHODS.to_vec()),
            "hosts": list("souk.hosts").unwrap_or_default(),
        },
        "use": uses,
        "to": name,
    });
    let upstream = json!({"discover": {"docker": {
        "label": format!("{label}={service}"),
        "port": port,
        "network": rules.network,
        "engine": rules.engine,
    }}});
    // JSON is also YAML, and parsing it as YAML gives each value of the configuration a position.
    let route = serde_saphyr::from_str(&route.to_string())?;
    let upstream = serde_saphyr::from_str(&upstream.to_string())?;
    Ok((name, route, upstream))
}
