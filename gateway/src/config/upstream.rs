//! The upstreams in the file.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use souk_tls::Connector;

use super::{ConfigError, Name, Share, Span};

/// A service that requests are forwarded to.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// How the instances of the service are found.
    pub discover: Discover,
    /// Protocol of the service. Absent: HTTP/1.1.
    #[serde(default)]
    pub protocol: Protocol,
    /// How requests are distributed over the instances. Default: `p2c_ewma`.
    #[serde(default)]
    pub balance: Balance,
    /// Time in which the share of a new instance grows from a tenth to a full one. Absent: it gets a full share
    /// immediately.
    #[serde(default)]
    pub slow_start: Option<Span>,
    /// Health checks of the instances. Absent: none; all instances that are found get requests.
    #[serde(default)]
    pub health: Option<Health>,
    /// Ejects instances whose requests fail. Absent: none is ejected.
    #[serde(default)]
    pub eject: Option<Eject>,
    /// Limits the calls in flight by the latency of the service. Absent: no limit, except `in_flight` links of routes.
    #[serde(default)]
    pub adaptive: Option<Adaptive>,
    /// Mutual TLS with the instances. Absent: connections are not encrypted.
    #[serde(default)]
    pub mtls: Option<Mtls>,
}

/// Mutual TLS (1.3 only): the gateway proves its identity by a certificate, and verifies that of the service. The files are
/// noticed within seconds after they change, and apply to new connections. If `ca`, `cert` and `key` are all empty, for
/// example because their variables are not set, connections are not encrypted.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mtls {
    /// PEM file with the certificates of the CAs that the service must have its certificate from.
    pub ca: PathBuf,
    /// PEM file with the gateway's certificate and those that lead to its CA.
    pub cert: PathBuf,
    /// PEM file with the private key of the gateway's certificate.
    pub key: PathBuf,
    /// DNS name that the certificate of the service must contain (subject alternative name), whatever its address is.
    pub san: Name,
}

impl Mtls {
    /// Whether connections are encrypted.
    pub(crate) fn is_on(&self) -> bool {
        !self.files().iter().all(|(_, file)| file.as_os_str().is_empty())
    }

    /// Checks that either all files are named or none, and that `san` is a DNS name.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let empty = self
            .files()
            .into_iter()
            .find(|(_, file)| file.as_os_str().is_empty());
        if let Some((name, _)) = empty.filter(|_| self.is_on()) {
            let message = format!("`{name}` of this `mtls` is empty; name all three files, or none");
            return Err(ConfigError::on(&self.san, message));
        }
        if !souk_tls::is_name(&self.san.value) {
            let message = format!("`{}` is not a DNS name", self.san.value);
            return Err(ConfigError::on(&self.san, message));
        }
        Ok(())
    }

    /// Opens connections with these files. `None` if connections are not encrypted. Fails if a file cannot be used.
    pub(crate) fn connector(&self, protocol: souk_tls::Protocol) -> anyhow::Result<Option<Connector>> {
        if !self.is_on() {
            return Ok(None);
        }
        let files = souk_tls::Files {
            ca: self.ca.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
        };
        Connector::new(files, &self.san.value, protocol).map(Some)
    }

    fn files(&self) -> [(&'static str, &PathBuf); 3] {
        [("ca", &self.ca), ("cert", &self.cert), ("key", &self.key)]
    }
}

/// Limits the calls in flight to the upstream, for all routes together. The limit grows while the latency stays near the
/// lowest one, and falls when calls have to wait in the service. Calls above it are rejected immediately with 503 and
/// `Retry-After`. Anonymous clients may use 80 % of the limit, so that they are rejected before authenticated ones.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Adaptive {
    /// Lowest limit. Default: 4.
    pub min: NonZeroU32,
    /// Highest limit. Default: 200.
    pub max: NonZeroU32,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self {
            min: NonZeroU32::MIN.saturating_add(3),
            max: NonZeroU32::MIN.saturating_add(199),
        }
    }
}

/// Health checks: each instance is asked at intervals whether it is healthy. An instance gets no requests until its first
/// check has passed, or while its checks fail. If less than half of the instances are available, all get requests.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Path of a GET request that a healthy instance answers with a status 2xx. Absent: an instance is healthy if it
    /// accepts connections; a gRPC upstream has only these checks.
    #[serde(default)]
    pub path: Option<Name>,
    /// Time between two checks, plus or minus 10 %. Default: 5 s.
    #[serde(default = "Health::default_every")]
    pub every: Span,
    /// Time within which a check must pass. Default: 1 s.
    #[serde(default = "Health::default_timeout")]
    pub timeout: Span,
    /// Number of failed checks in a row that make an instance unhealthy. Default: 3.
    #[serde(default = "Health::default_down")]
    pub down: NonZeroU32,
    /// Number of passed checks in a row that make an unhealthy instance healthy. Default: 2. The first check of an
    /// instance decides alone.
    #[serde(default = "Health::default_up")]
    pub up: NonZeroU32,
}

impl Health {
    const fn default_every() -> Span {
        Span(Duration::from_secs(5))
    }

    const fn default_timeout() -> Span {
        Span(Duration::from_secs(1))
    }

    const fn default_down() -> NonZeroU32 {
        NonZeroU32::MIN.saturating_add(2)
    }

    const fn default_up() -> NonZeroU32 {
        NonZeroU32::MIN.saturating_add(1)
    }
}

/// When an instance gets no requests for a while, because too many in a row failed: status 502, 503 (without
/// `Retry-After`, which means that the instance is protecting itself) or 504, no connection, a connection that broke, or
/// no response for at least one second. For gRPC: status 14, or 4 after at least one second.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Eject {
    /// Number of failures in a row. Default: 5.
    pub gateway_errors: NonZeroU32,
    /// Time without requests, multiplied by the number of ejections of this instance, up to 5 min. Default: 30 s.
    #[serde(rename = "for")]
    pub time: Span,
    /// Largest share of the instances that may be ejected at the same time. Default: 50 %.
    pub max: Share,
}

impl Default for Eject {
    fn default() -> Self {
        Self {
            gateway_errors: NonZeroU32::MIN.saturating_add(4),
            time: Span(Duration::from_secs(30)),
            max: Share::HALF,
        }
    }
}

/// How requests are distributed over the instances of an upstream.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// Of two random instances, the one with the lower product of latency (peak EWMA) and requests in flight, which is
    /// the default.
    #[default]
    P2cEwma,
    /// The instance with the fewest requests in flight.
    LeastRequest,
    /// All instances in turn.
    RoundRobin,
    /// Always the same instance for the same client, or for the same value of a header, as long as that instance is
    /// available (rendezvous hashing).
    Hash(HashRule),
}

/// What selects the instance when requests are distributed by hash.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashRule {
    /// The property of a request that selects the instance.
    pub by: HashBy,
}

/// The property of a request that selects the instance.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HashBy {
    /// The authenticated user, or the address for requests without one.
    User,
    /// The address of the client.
    Address,
    /// The value of this header, or the user for requests without it.
    Header(
        #[serde(deserialize_with = "header_name")]
        #[schemars(with = "String")]
        http::HeaderName,
    ),
}

fn header_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<http::HeaderName, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|_| serde::de::Error::custom(format_args!("`{text}` is not a valid header name")))
}

/// How the instances of an upstream are found.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(from = "DiscoverKey")]
pub enum Discover {
    /// A fixed list of addresses.
    Static(Vec<SocketAddr>),
    /// All addresses of `host:port`.
    Dns(String),
    /// The passing instances of a service in Consul.
    Consul(Consul),
    /// The running containers of a Docker engine that have a label.
    Docker(Docker),
    /// The ready endpoints of a Kubernetes service.
    Kubernetes(Kubernetes),
}

/// How the instances of an upstream are found.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Discover")]
enum DiscoverKey {
    /// A fixed list of addresses.
    Static(#[schemars(with = "Vec<String>")] Vec<SocketAddr>),
    /// All addresses of `host:port`, resolved again every 5 s.
    Dns(String),
    /// The passing instances of a service in Consul. Changes apply immediately (blocking queries).
    Consul(Consul),
    /// The running containers of a Docker engine that have a label, without those that are not healthy. Changes apply
    /// immediately (a stream of events).
    Docker(Docker),
    /// The ready endpoints of a Kubernetes service, from its endpoint slices. Changes apply immediately (a watch).
    Kubernetes(Kubernetes),
    /// The service as `dns://HOST:PORT`, `consul://SERVICE`, `docker://SERVICE:PORT` or `kubernetes://SERVICE:PORT`, so that
    /// an environment variable can select where services are found: `"${DISCOVERY:-dns}://orders:8082"`. Consul knows the
    /// port of each instance, so a port is ignored there. In Docker, the service is one of a Compose file.
    Url(
        #[serde(deserialize_with = "discover_url")]
        #[schemars(with = "String")]
        Discover,
    ),
}

impl From<DiscoverKey> for Discover {
    fn from(key: DiscoverKey) -> Self {
        match key {
            DiscoverKey::Static(addresses) => Self::Static(addresses),
            DiscoverKey::Dns(name) => Self::Dns(name),
            DiscoverKey::Consul(rules) => Self::Consul(rules),
            DiscoverKey::Docker(rules) => Self::Docker(rules),
            DiscoverKey::Kubernetes(rules) => Self::Kubernetes(rules),
            DiscoverKey::Url(discover) => discover,
        }
    }
}

fn discover_url<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Discover, D::Error> {
    let text = String::deserialize(deserializer)?;
    Discover::from_url(&text).ok_or_else(|| {
        serde::de::Error::custom(format_args!(
            "`{text}` is not `dns://HOST:PORT`, `consul://SERVICE`, `docker://SERVICE:PORT` or `kubernetes://SERVICE:PORT`"
        ))
    })
}

impl Discover {
    fn from_url(text: &str) -> Option<Self> {
        let (kind, service) = text.split_once("://")?;
        let (name, port) = match service.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse::<u16>().ok()?)),
            None => (service, None),
        };
        if name.is_empty() || name.contains('/') {
            return None;
        }
        Some(match kind {
            "dns" if port.is_some() => Self::Dns(service.to_owned()),
            "consul" => Self::Consul(Consul {
                service: name.to_owned(),
                ..Consul::default()
            }),
            "docker" => Self::Docker(Docker {
                label: format!("com.docker.compose.service={name}"),
                port: port?,
                network: None,
                engine: Docker::default_engine(),
            }),
            "kubernetes" => Self::Kubernetes(Kubernetes {
                service: name.to_owned(),
                port: port.map(|port| port.to_string()),
                ..Kubernetes::default()
            }),
            _ => return None,
        })
    }
}

/// A service in Consul.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consul {
    /// Name of the service.
    pub service: String,
    /// URL of the agent or server. Absent: that of `consul` at the top level.
    #[serde(default)]
    pub url: Option<String>,
    /// Only instances with this tag. Absent: all.
    #[serde(default)]
    pub tag: Option<String>,
    /// File with an access token. Absent: that of `consul` at the top level, if that has the same URL.
    #[serde(default)]
    pub token: Option<PathBuf>,
}

/// The agent or server of Consul for all upstreams that name no other.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConsulAgent {
    /// URL of its HTTP API. Default: `http://127.0.0.1:8500`.
    pub url: String,
    /// File with an access token. Absent: requests are anonymous.
    pub token: Option<PathBuf>,
}

impl Default for ConsulAgent {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8500".to_owned(),
            token: None,
        }
    }
}

impl ConsulAgent {
    /// Completes an upstream that is found in Consul. The token is only for the server of these settings.
    pub(super) fn complete(&self, discover: &mut Discover) {
        let Discover::Consul(rules) = discover else { return };
        if rules.url.is_none() && rules.token.is_none() {
            rules.token.clone_from(&self.token);
        }
        rules.url.get_or_insert_with(|| self.url.clone());
    }
}

/// Containers of a Docker engine. The gateway must be allowed to use the engine's socket, which gives it every right on the
/// engine; a proxy of the socket that allows only `GET /containers/json` and `GET /events` is enough.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Docker {
    /// Label of the containers: a name, or `name=value`. Compose gives each container the label
    /// `com.docker.compose.service=NAME`.
    pub label: String,
    /// Port on which the containers listen.
    pub port: u16,
    /// Name of the network in which the gateway reaches the containers. Absent: the first network by name in which a
    /// container has an address.
    #[serde(default)]
    pub network: Option<String>,
    /// The engine's API: `unix://PATH` or an HTTP URL. Default: `unix:///var/run/docker.sock`.
    #[serde(default = "Docker::default_engine")]
    pub engine: String,
}

impl Docker {
    /// The name of the service: the value of the label, or its name if it has no value.
    pub(crate) fn service(&self) -> &str {
        self.label
            .split_once('=')
            .map_or(self.label.as_str(), |(_, value)| value)
    }

    fn default_engine() -> String {
        "unix:///var/run/docker.sock".to_owned()
    }
}

/// Routes that containers of a Docker engine declare by their labels, beside those of the file. A container with the label
/// `souk.route`, which is a path, also has `souk.port`, and `souk.service` unless Compose has named its service. Containers
/// of one service are the instances of one upstream. The labels `souk.hosts`, `souk.methods` and `souk.use` are lists with
/// commas: the hosts, the methods and the policies of the route. A route that is not valid, or that would match requests of
/// another route, is left out and named in the log.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DockerRoutes {
    /// Policies of the routes of containers without the label `souk.use`.
    #[serde(rename = "use")]
    pub uses: Vec<Name>,
    /// Name of the network in which the gateway reaches the containers. Absent: the first network by name in which a
    /// container has an address.
    #[serde(default)]
    pub network: Option<String>,
    /// The engine's API: `unix://PATH` or an HTTP URL. Default: `unix:///var/run/docker.sock`.
    #[serde(default = "Docker::default_engine")]
    pub engine: String,
}

/// A service in Kubernetes. The service account of the gateway must be allowed to list and watch `endpointslices` of the
/// API group `discovery.k8s.io`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kubernetes {
    /// Name of the service.
    pub service: String,
    /// Namespace of the service. Absent: that of the gateway's pod.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Name of the service's port, or the number of the port on which the pods listen. Absent: the first port.
    #[serde(default)]
    pub port: Option<String>,
    /// URL of the API. Absent: that of the cluster in which the gateway runs.
    #[serde(default)]
    pub api: Option<String>,
    /// File with the token for the API. Absent: that of the pod's service account.
    #[serde(default)]
    pub token: Option<PathBuf>,
    /// File with the certificates that the API is verified with. Absent: that of the pod's service account.
    #[serde(default)]
    pub ca: Option<PathBuf>,
}

/// The protocol that an upstream speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1, which is the default.
    #[default]
    Http,
    /// gRPC over HTTP/2, with prior knowledge unless `mtls` is set. A route with `grpc` calls a method, and a route with
    /// only `to` passes calls through.
    Grpc,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_registry_and_the_service() {
        let parse = Discover::from_url;
        assert_eq!(
            parse("dns://orders:8082"),
            Some(Discover::Dns("orders:8082".into()))
        );
        let consul = Discover::Consul(Consul {
            service: "orders".into(),
            ..Consul::default()
        });
        assert_eq!(parse("consul://orders:8082"), Some(consul.clone()));
        assert_eq!(parse("consul://orders"), Some(consul));
        let docker = Discover::Docker(Docker {
            label: "com.docker.compose.service=orders".into(),
            port: 8082,
            network: None,
            engine: "unix:///var/run/docker.sock".into(),
        });
        assert_eq!(parse("docker://orders:8082"), Some(docker));
        let kubernetes = Discover::Kubernetes(Kubernetes {
            service: "orders".into(),
            port: Some("8082".into()),
            ..Kubernetes::default()
        });
        assert_eq!(parse("kubernetes://orders:8082"), Some(kubernetes));
        for invalid in [
            "orders:8082",
            "dns://orders",
            "dns://orders:port",
            "consul://",
            "consul:///orders",
            "docker://orders",
            "etcd://orders:8082",
        ] {
            assert_eq!(parse(invalid), None, "{invalid}");
        }
    }
}
