//! Instances from the catalog of Consul. A blocking query returns as soon as the instances change.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use serde::Deserialize;

use super::{CONNECT_TIMEOUT, TIMEOUT};
use crate::{config::Consul, upstream::Cluster};

/// How long a query waits for a change.
const WAIT: Duration = Duration::from_mins(1);
/// Shortest time between two queries.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks Consul for the passing instances of a service.
pub(super) struct Query<'a> {
    rules: &'a Consul,
    client: reqwest::Client,
    /// The index of the last response; Consul responds to the next query when it is exceeded.
    index: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    node: Node,
    service: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    /// Empty if the instance has the address of its node.
    #[serde(default)]
    address: String,
    port: u16,
}

impl<'a> Query<'a> {
    pub(super) fn new(rules: &'a Consul) -> anyhow::Result<Self> {
        Ok(Self {
            rules,
            client: reqwest::Client::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .build()?,
            index: 0,
        })
    }

    /// The instances, when they have changed since the last call, or after [`WAIT`].
    pub(super) async fn find(&mut self) -> anyhow::Result<Vec<SocketAddr>> {
        let agent = self
            .rules
            .url
            .as_deref()
            .unwrap_or_default()
            .trim_end_matches('/');
        let url = format!("{agent}/v1/health/service/{}", self.rules.service);
        let mut request = self.client.get(url).query(&[("passing", "1")]);
        if let Some(tag) = &self.rules.tag {
            request = request.query(&[("tag", tag)]);
        }
        if let Some(file) = &self.rules.token {
            let token = tokio::fs::read_to_string(file).await;
            let token = token.with_context(|| format!("cannot read {}", file.display()))?;
            request = request.header("x-consul-token", token.trim());
        }
        request = if self.index == 0 {
            request.timeout(TIMEOUT)
        } else {
            let wait = format!("{}s", WAIT.as_secs());
            let query = [("index", self.index.to_string()), ("wait", wait)];
            // Consul adds up to a sixteenth of the time.
            request.query(&query).timeout(WAIT + WAIT / 16 + TIMEOUT)
        };
        let response = request.send().await?.error_for_status()?;
        let index = response.headers().get("x-consul-index");
        let index = index
            .and_then(|index| index.to_str().ok()?.parse().ok())
            .unwrap_or(0);
        // An index that decreases means that Consul has lost its state.
        self.index = if index < self.index { 0 } else { index };
        let entries: Vec<Entry> = response.json().await?;
        let mut found = vec![];
        for Entry { node, service } in entries {
            let host = if service.address.is_empty() {
                node.address
            } else {
                service.address
            };
            found.extend(tokio::net::lookup_host((host, service.port)).await?);
        }
        Ok(found)
    }
}

/// Follows the instances until a query fails.
pub(super) async fn follow(rules: &Consul, cluster: &Cluster) -> anyhow::Result<()> {
    let mut query = Query::new(rules)?;
    loop {
        cluster.set_instances(query.find().await?);
        tokio::time::sleep(PAUSE).await;
    }
}
