//! Instances from the containers of a Docker engine that have a label. They are listed again after each event of a container.

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

/// Asks the engine for the containers with a label.
pub(super) struct Engine<'a> {
    rules: &'a Docker,
    client: reqwest::Client,
    url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    id: String,
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

impl<'a> Engine<'a> {
    pub(super) fn new(rules: &'a Docker) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT);
        let (client, url) = match rules.engine.strip_prefix("unix://") {
            Some(socket) => (client.unix_socket(socket), "http://docker"),
            None => (client, rules.engine.trim_end_matches('/')),
        };
        Ok(Self {
            rules,
            client: client.build()?,
            url: url.to_owned(),
        })
    }

    /// The addresses of the running containers with the label, without those whose health check fails or has not passed yet.
    pub(super) async fn list(&self) -> anyhow::Result<Vec<SocketAddr>> {
        let filters = json!({
            "label": [self.rules.label],
            "status": ["running"],
            "health": ["healthy", "none"],
        });
        let request = self.client.get(format!("{}/containers/json", self.url));
        let request = request
            .query(&[("filters", filters.to_string())])
            .timeout(TIMEOUT);
        let containers: Vec<Container> = accepted(request).await?.json().await?;
        containers
            .iter()
            .map(|container| self.address_of(container))
            .collect()
    }

    fn address_of(&self, container: &Container) -> anyhow::Result<SocketAddr> {
        let networks = &container.network_settings.networks;
        let found = match &self.rules.network {
            Some(name) => networks.get(name).and_then(Network::address),
            None => networks.values().find_map(Network::address),
        };
        let address = found.with_context(|| match &self.rules.network {
            Some(name) => format!(
                "container {} has no address in the network `{name}`",
                container.id
            ),
            None => format!("container {} has no address", container.id),
        })?;
        Ok(SocketAddr::new(address, self.rules.port))
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

impl Network {
    fn address(&self) -> Option<IpAddr> {
        self.address.parse().or_else(|_| self.address_v6.parse()).ok()
    }
}

/// Lists the containers, and lists them again after each event, for [`WATCH`] or until the engine ends the stream.
pub(super) async fn follow(rules: &Docker, cluster: &Cluster) -> anyhow::Result<()> {
    let engine = Engine::new(rules)?;
    // The stream is opened first, so that no change is lost in between.
    let mut events = engine.events().await?;
    loop {
        cluster.set_instances(engine.list().await?);
        match events.chunk().await {
            Ok(Some(_)) => tokio::time::sleep(SETTLE).await,
            Ok(None) => return Ok(()),
            Err(error) if error.is_timeout() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
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
