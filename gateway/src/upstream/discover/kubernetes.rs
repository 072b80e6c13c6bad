//! Instances from the `EndpointSlice`s of a Kubernetes service, which are listed once and then watched.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::{CONNECT_TIMEOUT, TIMEOUT};
use crate::{config::Kubernetes, upstream::Cluster};

/// Where a pod has the token and the namespace of its service account, and the certificate of the API.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// How long a watch lasts. Then the slices are listed again, so that a lost event has no lasting effect.
const WATCH: Duration = Duration::from_mins(5);
/// Maximum size of one event, in bytes. A slice has at most 1,000 endpoints.
const MAX_EVENT: usize = 4 << 20;

/// The addresses of the ready endpoints of each slice.
#[derive(Debug, Default)]
pub(super) struct Slices {
    by_name: BTreeMap<String, Vec<SocketAddr>>,
    /// The version after which events are watched.
    version: String,
}

#[derive(Deserialize)]
struct List {
    metadata: Metadata,
    #[serde(default)]
    items: Vec<Slice>,
}

#[derive(Deserialize)]
struct Event<'a> {
    r#type: String,
    #[serde(borrow)]
    object: &'a serde_json::value::RawValue,
}

/// The body of an error.
#[derive(Deserialize)]
struct Status {
    message: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    resource_version: String,
}

#[derive(Deserialize)]
struct Slice {
    metadata: Metadata,
    #[serde(default)]
    endpoints: Option<Vec<Endpoint>>,
    #[serde(default)]
    ports: Option<Vec<Port>>,
}

#[derive(Deserialize)]
struct Endpoint {
    addresses: Vec<IpAddr>,
    #[serde(default)]
    conditions: Conditions,
}

#[derive(Deserialize, Default)]
struct Conditions {
    /// Absent: ready.
    ready: Option<bool>,
}

#[derive(Deserialize)]
struct Port {
    #[serde(default)]
    name: Option<String>,
    port: Option<u16>,
}

impl Port {
    fn has_name_or_number(&self, wanted: &str) -> bool {
        // The name of a port has at least one letter.
        self.name.as_deref() == Some(wanted) || self.port.is_some_and(|port| wanted.parse() == Ok(port))
    }
}

impl Slices {
    /// Lists the slices of a service.
    pub(super) async fn list(rules: &Kubernetes) -> anyhow::Result<Self> {
        let response = request(rules).await?.timeout(TIMEOUT).send().await?;
        let list: List = accepted(response).await?.json().await?;
        let mut slices = Self {
            version: list.metadata.resource_version,
            ..Self::default()
        };
        list.items.into_iter().for_each(|slice| slices.set(rules, slice));
        Ok(slices)
    }

    /// The addresses of all slices.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.by_name.values().flatten().copied().collect()
    }

    fn set(&mut self, rules: &Kubernetes, slice: Slice) {
        let mut ports = slice.ports.into_iter().flatten();
        let port = match &rules.port {
            Some(wanted) => ports.find(|port| port.has_name_or_number(wanted)),
            None => ports.next(),
        };
        let Some(port) = port.and_then(|port| port.port) else {
            self.by_name.remove(&slice.metadata.name);
            return;
        };
        let endpoints = slice.endpoints.into_iter().flatten();
        let ready = endpoints.filter(|endpoint| endpoint.conditions.ready != Some(false));
        // The addresses of one endpoint are interchangeable.
        let addresses = ready.filter_map(|endpoint| endpoint.addresses.first().copied());
        let addresses = addresses.map(|address| SocketAddr::new(address, port)).collect();
        self.by_name.insert(slice.metadata.name, addresses);
    }

    /// Applies an event of the watch.
    fn apply(&mut self, rules: &Kubernetes, line: &[u8]) -> anyhow::Result<()> {
        let event: Event<'_> = serde_json::from_slice(line)?;
        let text = event.object.get();
        match event.r#type.as_str() {
            "ADDED" | "MODIFIED" => self.set(rules, serde_json::from_str(text)?),
            "DELETED" => {
                let slice: Slice = serde_json::from_str(text)?;
                self.by_name.remove(&slice.metadata.name);
            }
            "BOOKMARK" => {}
            other => bail!("the watch ended with {other}: {text}"),
        }
        Ok(())
    }
}

/// Lists the slices, and then follows their changes for [`WATCH`], or until the API ends the watch.
pub(super) async fn follow(rules: &Kubernetes, cluster: &Cluster) -> anyhow::Result<()> {
    let mut slices = Slices::list(rules).await?;
    cluster.set_instances(slices.addresses());
    let seconds = WATCH.as_secs().to_string();
    let query = [
        ("watch", "1"),
        ("allowWatchBookmarks", "true"),
        ("resourceVersion", &slices.version),
        ("timeoutSeconds", &seconds),
    ];
    let watch = request(rules).await?.query(&query).timeout(WATCH + TIMEOUT);
    let mut response = accepted(watch.send().await?).await?;
    let mut pending = vec![];
    while let Some(chunk) = response.chunk().await? {
        pending.extend_from_slice(&chunk);
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            slices.apply(rules, &line)?;
        }
        if pending.len() > MAX_EVENT {
            bail!("an event of the watch is too large");
        }
        cluster.set_instances(slices.addresses());
    }
    Ok(())
}

/// The response, if the API has accepted the request. The error contains the reason that the API gives, such as a missing
/// right of the service account.
async fn accepted(response: reqwest::Response) -> anyhow::Result<reqwest::Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let reason = response
        .json()
        .await
        .map_or_else(|_| String::new(), |Status { message }| message);
    bail!("the Kubernetes API responded with {status}: {reason}")
}

/// A request for the slices of the service. The token is read each time, because it is replaced before it expires.
async fn request(rules: &Kubernetes) -> anyhow::Result<reqwest::RequestBuilder> {
    let read = async |path: &Path| {
        let text = tokio::fs::read_to_string(path).await;
        text.with_context(|| format!("cannot read {}", path.display()))
    };
    let account = Path::new(ACCOUNT);
    let api = match &rules.api {
        Some(api) => api.trim_end_matches('/').to_owned(),
        None => in_cluster_api()?,
    };
    let namespace = match &rules.namespace {
        Some(namespace) => namespace.clone(),
        None => read(&account.join("namespace")).await?.trim().to_owned(),
    };
    let token = rules.token.clone().unwrap_or_else(|| account.join("token"));
    let mut client = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT);
    if api.starts_with("https:") {
        let ca = read(&rules.ca.clone().unwrap_or_else(|| account.join("ca.crt"))).await?;
        client = client.tls_certs_only(reqwest::Certificate::from_pem_bundle(ca.as_bytes())?);
    }
    let url = format!("{api}/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
    let selector = format!("kubernetes.io/service-name={}", rules.service);
    Ok(client
        .build()?
        .get(url)
        .query(&[("labelSelector", selector)])
        .bearer_auth(read(&token).await?.trim()))
}

/// The URL of the API for pods.
fn in_cluster_api() -> anyhow::Result<String> {
    let variable = |name| crate::config::environment(name).with_context(|| format!("{name} is not set"));
    let (host, port) = (
        variable("KUBERNETES_SERVICE_HOST")?,
        variable("KUBERNETES_SERVICE_PORT")?,
    );
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    Ok(format!("https://{host}:{port}"))
}
