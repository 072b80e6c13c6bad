//! Instances and labels from the containers of a Docker engine. They are listed again after each event of a container.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::json;

use super::{CONNECT_TIMEOUT, TIMEOUT};
use crate::{config::Docker, upstream::Cluster};

/// How long events are followed. Then the containers are listed again, so that a lost event has no lasting effect.
const WATCH: Duration = Duration::from_mins(5);
/// Time between an event and listing the containers. The engine reports the end of a container a little before it removes it
/// from the list.
const SETTLE: Duration = Duration::from_millis(200);

/// The labels of a container, as name to value.
pub(crate) type Labels = BTreeMap<String, String>;

/// The API of an engine.
struct Engine {
    client: reqwest::Client,
    url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    id: String,
    #[serde(default)]
    labels: Labels,
    network_settings: NetworkSettings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    #[serde(default)]
    networks: BTreeMap<String, Network>,
}

#[derive(Deserialize)]
struct Network {
    /// Empty if the container has no IPv4 address in the network.
    #[serde(rename = "IPAddress", default)]
    address: String,
    #[serde(rename = "GlobalIPv6Address", default)]
    address_v6: String,
}

/// The body of an error.
#[derive(Deserialize)]
struct Failure {
    message: String,
}

impl Engine {
    /// Connects to `unix://PATH` or an HTTP URL when it is first used.
    fn new(engine: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT);
        let (client, url) = match engine.strip_prefix("unix://") {
            Some(socket) => (client.unix_socket(socket), "http://docker"),
            None => (client, engine.trim_end_matches('/')),
        };
        Ok(Self {
            client: client.build()?,
            url: url.to_owned(),
        })
    }

    /// The running containers with the label, without those whose health check fails or has not passed yet. The newest is
    /// first.
    async fn list(&self, label: &str) -> anyhow::Result<Vec<Container>> {
        let filters = json!({
            "label": [label],
            "status": ["running"],
            "health": ["healthy", "none"],
        });
        let request = self.client.get(format!("{}/containers/json", self.url));
        let request = request
            .query(&[("filters", filters.to_string())])
            .timeout(TIMEOUT);
        Ok(accepted(request).await?.json().await?)
    }

    /// The addresses of the containers that the rules name.
    async fn addresses(&self, rules: &Docker) -> anyhow::Result<Vec<SocketAddr>> {
        let containers = self.list(&rules.label).await?;
        let address = |container: &Container| container.address(rules.network.as_deref());
        containers
            .iter()
            .map(|container| Ok(SocketAddr::new(address(container)?, rules.port)))
            .collect()
    }

    /// Opens the stream of events that may change the instances.
    async fn events(&self) -> anyhow::Result<reqwest::Response> {
        let filters = json!({
            "type": ["container", "network"],
            "event": ["start", "die", "stop", "destroy", "pause", "unpause", "health_status", "connect", "disconnect"],
        });
        let request = self.client.get(format!("{}/events", self.url));
        let request = request.query(&[("filters", filters.to_string())]);
        accepted(request.timeout(WATCH)).await
    }
}

impl Container {
    /// The address in this network, or in the first one that has an address.
    fn address(&self, network: Option<&str>) -> anyhow::Result<IpAddr> {
        let networks = &self.network_settings.networks;
        let found = match network {
            Some(name) => networks.get(name).and_then(Network::address),
            None => networks.values().find_map(Network::address),
        };
        found.with_context(|| match network {
            Some(name) => format!("container {} has no address in the network `{name}`", self.id),
            None => format!("container {} has no address", self.id),
        })
    }
}

impl Network {
    fn address(&self) -> Option<IpAddr> {
        self.address.parse().or_else(|_| self.address_v6.parse()).ok()
    }
}

/// The current addresses of the containers that the rules name.
pub(super) async fn find(rules: &Docker) -> anyhow::Result<Vec<SocketAddr>> {
    Engine::new(&rules.engine)?.addresses(rules).await
}

/// Waits until the labels of the containers that have a certain label differ from `known`, and returns them. The newest
/// container is first.
pub(crate) async fn changed_labels(
    engine: &str,
    label: &str,
    known: &[Labels],
) -> anyhow::Result<Vec<Labels>> {
    let engine = Engine::new(engine)?;
    loop {
        let mut events = engine.events().await?;
        loop {
            let containers = engine.list(label).await?;
            let labels: Vec<_> = containers.into_iter().map(|one| one.labels).collect();
            if labels != known {
                return Ok(labels);
            }
            if !next(&mut events).await? {
                break;
            }
        }
    }
}

/// Lists the containers, and lists them again after each event, for [`WATCH`] or until the engine ends the stream.
pub(super) async fn follow(rules: &Docker, cluster: &Cluster) -> anyhow::Result<()> {
    let engine = Engine::new(&rules.engine)?;
    // The stream is opened first, so that no change is lost in between.
    let mut events = engine.events().await?;
    loop {
        cluster.set_instances(engine.addresses(rules).await?);
        if !next(&mut events).await? {
            return Ok(());
        }
    }
}

/// Waits for an event. Returns false if the stream has ended or was followed for [`WATCH`].
async fn next(events: &mut reqwest::Response) -> reqwest::Result<bool> {
    match events.chunk().await {
        Ok(Some(_)) => {
            tokio::time::sleep(SETTLE).await;
            Ok(true)
        }
        Ok(None) => Ok(false),
        Err(error) if error.is_timeout() => Ok(false),
        Err(error) => Err(error),
    }
}

/// The response, if the engine has accepted the request. The error contains the reason that the engine gives.
async fn accepted(request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
    let response = request.send().await?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let reason = response
        .json()
        .await
        .map_or_else(|_| String::new(), |Failure { message }| message);
    bail!("the Docker engine responded with {status}: {reason}")
}
