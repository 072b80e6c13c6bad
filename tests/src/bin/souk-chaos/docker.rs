//! The containers of a Compose project, through the API of the Docker engine.

use std::{collections::HashMap, path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use reqwest::{Method, Response};
use serde::Deserialize;
use serde_json::json;

/// The label in which Compose keeps the name of a container's service.
const SERVICE: &str = "com.docker.compose.service";

/// The containers of one Compose project.
pub(crate) struct Docker {
    http: reqwest::Client,
    project: String,
}

/// A container that was running when the engine listed it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Container {
    id: String,
    names: Vec<String>,
    labels: HashMap<String, String>,
}

impl Container {
    /// Name of the container's service in the Compose file.
    pub(crate) fn service(&self) -> &str {
        self.labels.get(SERVICE).map_or("", String::as_str)
    }

    /// Name of the container, such as `souk-orders-2`.
    pub(crate) fn name(&self) -> &str {
        self.names.first().map_or("", |name| name.trim_start_matches('/'))
    }
}

impl Docker {
    /// Uses the engine behind that Unix socket.
    pub(crate) fn new(socket: &Path, project: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .unix_socket(socket)
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self {
            http,
            project: project.to_owned(),
        })
    }

    /// Lists the running containers of the project.
    pub(crate) async fn running(&self) -> Result<Vec<Container>> {
        let label = format!("com.docker.compose.project={}", self.project);
        let filters = json!({"label": [label], "status": ["running"]}).to_string();
        let response = self
            .send(Method::GET, "/containers/json", &[("filters", &filters)])
            .await?;
        Ok(response.json().await?)
    }

    /// Ends a container's processes with SIGKILL. Docker does not start a container again that was killed this way.
    pub(crate) async fn kill(&self, container: &Container) -> Result<()> {
        self.act(container, "kill").await
    }

    /// Starts a container again.
    pub(crate) async fn start(&self, container: &Container) -> Result<()> {
        self.act(container, "start").await
    }

    async fn act(&self, container: &Container, action: &str) -> Result<()> {
        let path = format!("/containers/{}/{action}", container.id);
        let sent = self.send(Method::POST, &path, &[]).await;
        sent.with_context(|| format!("cannot {action} {}", container.name()))?;
        Ok(())
    }

    async fn send(&self, method: Method, path: &str, query: &[(&str, &String)]) -> Result<Response> {
        // The name of the host is not used, since the socket decides where the request goes.
        let request = self.http.request(method, format!("http://docker{path}"));
        let response = request
            .query(query)
            .send()
            .await
            .context("the Docker engine does not respond")?;
        let status = response.status();
        ensure!(
            status.is_success(),
            "the Docker engine responds {status}: {}",
            response.text().await?
        );
        Ok(response)
    }
}
