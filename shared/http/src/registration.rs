//! Registers a service in Consul while it runs, so that gateways and other clients find it there. Consul checks its
//! readiness, and lists the instance only while it is ready. A service works in the same way while Consul is unavailable.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    time::Duration,
};

use anyhow::Context as _;
use futures::future::join_all;
use http::{Method, StatusCode};
use reqwest::Url;
use serde::Serialize;
use souk_config::{Consul, ExposeSecret as _};
use telemetry::metrics::{Counter, Gauge};

static REGISTERED: Gauge = Gauge::gauge(
    "consul_registered",
    "1 while Consul confirms that the service is registered, otherwise 0",
);
static FAILURES: Counter = Counter::counter(
    "consul_failures",
    "Failed attempts to register in Consul, or to ask it for the registration",
);

/// How often the agent is asked whether it still knows the service. An agent that has lost its state no longer knows
/// it.
const PERIOD: Duration = Duration::from_secs(1);
/// Timeout for a request to the agent. The check of this process's readiness has the same timeout, and takes up to 2 s.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long a shutdown waits for the agent.
const DEREGISTER_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the process accepts requests after it was deregistered, so that clients have time to notice.
const LINGER: Duration = Duration::from_secs(1);

/// The registration of a process. It has one service for each API that the process serves: `NAME` for HTTP, and `NAME-grpc`
/// for gRPC.
#[derive(Debug)]
pub struct Registration {
    settings: Consul,
    client: reqwest::Client,
    /// The address of the agent.
    agent: (String, u16),
    /// The address that serves the health checks.
    admin_addr: SocketAddr,
    /// Name and address of each API.
    apis: Vec<(String, SocketAddr)>,
    /// The services that this process has registered.
    registered: Vec<Service>,
    is_failing: bool,
}

/// A service as the agent's API describes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    #[serde(rename = "ID")]
    id: String,
    name: String,
    /// Empty if the service has the address of its agent.
    address: String,
    port: u16,
    check: Check,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    name: &'static str,
    #[serde(rename = "HTTP")]
    url: String,
    interval: &'static str,
    timeout: &'static str,
    /// The status until the first check. A service registers when it is ready.
    status: &'static str,
    /// Removes the entry of a process that ended without a shutdown.
    deregister_critical_service_after: &'static str,
}

impl Registration {
    /// The registration of the service `name` at the agent in the settings. `None` if the process serves no API. Fails if
    /// the URL of the agent is invalid.
    pub fn new(name: &str, settings: Consul) -> anyhow::Result<Option<Self>> {
        let http = settings.http_addr.map(|addr| (name.to_owned(), addr));
        let grpc = settings.grpc_addr.map(|addr| (format!("{name}-grpc"), addr));
        let apis: Vec<_> = http.into_iter().chain(grpc).collect();
        let Some(admin_addr) = settings.admin_addr.filter(|_| !apis.is_empty()) else {
            return Ok(None);
        };
        let url = Url::parse(&settings.url).context("SOUK_CONSUL_URL is not a valid URL")?;
        let agent = url.host_str().zip(url.port_or_known_default());
        let (host, port) = agent.context("SOUK_CONSUL_URL has no host")?;
        let agent = (host.trim_matches(['[', ']']).to_owned(), port);
        for (name, _) in &apis {
            // Create the series now, so that it is exposed as 0.
            REGISTERED.of([("service", name)]);
        }
        Ok(Some(Self {
            settings,
            client: reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build()?,
            agent,
            admin_addr,
            apis,
            registered: vec![],
            is_failing: false,
        }))
    }

    /// Registers the process when it is ready, and again whenever the agent no longer knows it, until `shutdown`
    /// completes. Then deregisters it, and gives clients a moment to notice. The process must accept requests until
    /// this returns.
    pub async fn keep_until(mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        loop {
            let round = async {
                self.register_and_log().await;
                tokio::time::sleep(PERIOD).await;
            };
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                () = round => {}
            }
        }
        self.deregister().await;
    }

    async fn register_and_log(&mut self) {
        match self.register().await {
            Ok(()) => {
                if self.is_failing {
                    tracing::info!("Consul is available again");
                }
                self.is_failing = false;
            }
            Err(error) => {
                for (name, _) in &self.apis {
                    REGISTERED.of([("service", name)]).set(0.0);
                }
                FAILURES.of([]).inc();
                // The log has one line for an outage, however long it is.
                if !self.is_failing {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "registering in Consul failed; will retry every second");
                }
                self.is_failing = true;
            }
        }
    }

    /// Registers each API that the agent does not know.
    async fn register(&mut self) -> anyhow::Result<()> {
        let host = self.host().await?;
        for (name, addr) in self.apis.clone() {
            let service = self.service(&name, addr, host.as_deref());
            let is_known = self.registered.contains(&service) && self.is_known(&service.id).await?;
            REGISTERED
                .of([("service", &name)])
                .set(f64::from(u8::from(is_known)));
            if is_known {
                continue;
            }
            if !self.is_ready().await {
                return Ok(());
            }
            let request = self.request(Method::PUT, "register").json(&service);
            let id = service.id.clone();
            self.registered.retain(|known| known.id != id);
            // A shutdown may interrupt the request after the agent has received it.
            self.registered.push(service);
            let result = request.send().await.and_then(reqwest::Response::error_for_status);
            if let Err(error) = result {
                self.registered.retain(|known| known.id != id);
                return Err(error.into());
            }
            tracing::info!(id, "registered in Consul");
            REGISTERED.of([("service", &name)]).set(1.0);
        }
        Ok(())
    }

    /// Host at which others reach this process, if it listens on all addresses. `None` if that is the host of the agent.
    async fn host(&self) -> anyhow::Result<Option<String>> {
        if self.settings.advertised.is_some() {
            return Ok(self.settings.advertised.clone());
        }
        let (host, port) = &self.agent;
        let mut addresses = tokio::net::lookup_host((host.as_str(), *port)).await?;
        let agent = addresses.next().context("the agent's name has no address")?;
        let any: IpAddr = if agent.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        // Nothing is sent: the kernel only selects the address for this route.
        let socket = tokio::net::UdpSocket::bind((any, 0)).await?;
        socket.connect(agent).await?;
        let own = socket.local_addr()?.ip();
        Ok((!own.is_loopback()).then(|| own.to_string()))
    }

    fn service(&self, name: &str, addr: SocketAddr, host: Option<&str>) -> Service {
        let reachable = |addr: SocketAddr| match (&self.settings.advertised, addr.ip().is_unspecified()) {
            (None, false) => Some(addr.ip().to_string()),
            _ => host.map(str::to_owned),
        };
        let address = reachable(addr).unwrap_or_default();
        let admin = reachable(self.admin_addr).unwrap_or_else(|| Ipv4Addr::LOCALHOST.to_string());
        let admin = match admin.parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => admin,
        };
        let id: Vec<&str> = [name, &address]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        Service {
            id: format!("{}-{}", id.join("-"), addr.port()),
            name: name.to_owned(),
            address,
            port: addr.port(),
            check: Check {
                name: "ready",
                url: format!("http://{admin}:{}/readyz", self.admin_addr.port()),
                interval: "5s",
                timeout: "3s",
                status: "passing",
                deregister_critical_service_after: "1m",
            },
        }
    }

    async fn is_known(&self, id: &str) -> anyhow::Result<bool> {
        let response = self.request(Method::GET, id).send().await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        response.error_for_status()?;
        Ok(true)
    }

    async fn is_ready(&self) -> bool {
        let mut addr = self.admin_addr;
        if addr.ip().is_unspecified() {
            addr.set_ip(if addr.is_ipv4() {
                Ipv4Addr::LOCALHOST.into()
            } else {
                Ipv6Addr::LOCALHOST.into()
            });
        }
        let response = self.client.get(format!("http://{addr}/readyz")).send().await;
        response.is_ok_and(|response| response.status().is_success())
    }

    /// Removes every service from the agent. If the agent does not respond in time, its checks will remove them later.
    async fn deregister(&self) {
        let calls = self.registered.iter().map(|service| async move {
            let path = format!("deregister/{}", service.id);
            let request = self.request(Method::PUT, &path).timeout(DEREGISTER_TIMEOUT);
            let result = request.send().await.and_then(reqwest::Response::error_for_status);
            REGISTERED.of([("service", &service.name)]).set(0.0);
            match &result {
                Ok(_) => tracing::info!(id = service.id, "deregistered from Consul"),
                Err(error) => {
                    tracing::warn!(%error, id = service.id, "deregistering from Consul failed; its check will remove the service");
                }
            }
            result.is_ok()
        });
        if join_all(calls).await.contains(&true) {
            tokio::time::sleep(LINGER).await;
        }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/v1/agent/service/{path}", self.settings.url);
        let request = self.client.request(method, url);
        match &self.settings.token {
            Some(token) => request.header("x-consul-token", token.expose_secret()),
            None => request,
        }
    }
}
