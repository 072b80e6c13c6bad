//! The proxies that are compared, and their upstream. Each proxy listens for HTTP and for HTTPS.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, ensure};

use super::{process::Process, tools::Tools};
use crate::{
    cargo::{self, Profile},
    interrupt,
    system::ports,
};

/// Every response of the upstream: one KiB.
pub(super) fn body() -> String {
    "x".repeat(1024)
}

/// The proxies, with the settings of each gateway. The first three are compared in every measurement.
const KINDS: [(&str, Kind); 6] = [
    ("nginx", Kind::Nginx),
    ("haproxy", Kind::Haproxy),
    (
        "gateway",
        Kind::Gateway {
            routes: 1,
            log: "info",
            links: "",
        },
    ),
    (
        "gateway without log lines",
        Kind::Gateway {
            routes: 1,
            log: "warn",
            links: "",
        },
    ),
    (
        "gateway with 1,000 routes",
        Kind::Gateway {
            routes: 1000,
            log: "info",
            links: "",
        },
    ),
    (
        "gateway with a plugin",
        Kind::Gateway {
            routes: 1,
            log: "info",
            links: ", {wasm: {file: plugins/built/old_clients.wasm, config: {app: App, min: \"1\"}}}",
        },
    ),
];

#[derive(Clone, Copy)]
enum Kind {
    Nginx,
    Haproxy,
    Gateway {
        routes: usize,
        log: &'static str,
        /// Further links of the policy.
        links: &'static str,
    },
}

/// A running proxy, which is ended when this is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) name: &'static str,
    pub(super) process: Process,
    pub(super) port: u16,
    pub(super) https_port: u16,
}

impl Proxy {
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(super) fn https_url(&self) -> String {
        format!("https://127.0.0.1:{}/", self.https_port)
    }
}

/// The running proxies and their upstream. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Proxies {
    /// All proxies, also those that only differ in their settings.
    pub(super) all: Vec<Proxy>,
    upstream: u16,
    _upstream: Process,
}

/// Where and for what a proxy is started.
struct Place<'a> {
    name: &'static str,
    folder: &'a Path,
    /// A file with a certificate and its key.
    certificate: &'a Path,
    port: u16,
    https_port: u16,
    upstream: u16,
}

impl Proxies {
    /// Starts all proxies and waits until they listen.
    pub(super) fn start(folder: &Path, tools: &Tools) -> Result<Self> {
        cargo::run(&["build", "--quiet", "--release", "--workspace", "--bin", "gateway"])?;
        let gateway = Profile::Release.binaries()?.join("gateway");
        let certificate = tools.certificate()?;
        let mut taken = BTreeMap::new();
        let mut pick = |name: &str| -> Result<u16> {
            let port = ports::pick(&taken)?;
            taken.insert(name.to_owned(), port);
            Ok(port)
        };
        let upstream = pick("upstream")?;
        let upstream_process = start_nginx(&tools.nginx, folder, "upstream", &upstream_config(upstream))?;
        let mut all = Vec::new();
        for (name, kind) in KINDS {
            let place = Place {
                name,
                folder,
                certificate: &certificate,
                port: pick(name)?,
                https_port: pick(&format!("{name}, https"))?,
                upstream,
            };
            let process = match kind {
                Kind::Nginx => start_nginx(&tools.nginx, folder, name, &nginx_config(&place))?,
                Kind::Haproxy => start_haproxy(&tools.haproxy, &place)?,
                Kind::Gateway { routes, log, links } => {
                    let admin = pick(&format!("{name}, admin"))?;
                    start_gateway(&gateway, &place, admin, (routes, links), log)?
                }
            };
            all.push(Proxy {
                name,
                process,
                port: place.port,
                https_port: place.https_port,
            });
        }
        for port in all.iter().flat_map(|proxy| [proxy.port, proxy.https_port]) {
            ensure!(
                interrupt::wait(Duration::from_secs(10), || Ok(ports::is_open(port)))?,
                "a proxy does not listen; see the files in {}",
                folder.display()
            );
        }
        Ok(Self {
            all,
            upstream,
            _upstream: upstream_process,
        })
    }

    /// nginx, HAProxy and the gateway.
    pub(super) fn compared(&self) -> [&Proxy; 3] {
        [&self.all[0], &self.all[1], &self.all[2]]
    }

    pub(super) fn upstream_url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.upstream)
    }
}

/// Changes the configuration file of a proxy without changing its meaning.
pub(super) fn touch(folder: &Path, proxy: &str) -> Result<()> {
    let mut file = OpenOptions::new().append(true).open(config_file(folder, proxy))?;
    Ok(writeln!(file, "#")?)
}

fn config_file(folder: &Path, proxy: &str) -> PathBuf {
    folder.join(format!("{proxy}.conf"))
}

fn upstream_config(port: u16) -> String {
    format!(
        "worker_processes 1; pid upstream.pid; error_log upstream.log;
events {{}}
http {{
  access_log off; keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ default_type text/plain; return 200 \"{body}\"; }} }}
}}
",
        body = body()
    )
}

fn nginx_config(place: &Place<'_>) -> String {
    let Place {
        port,
        https_port,
        upstream,
        ..
    } = place;
    let (log, certificate) = (place.folder.join("nginx-access.log"), place.certificate.display());
    format!(
        "worker_processes auto; pid nginx.pid; error_log nginx.log;
events {{ worker_connections 20000; }}
http {{
  access_log {log} combined; keepalive_requests 1000000000;
  upstream backend {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} reuseport backlog=4096;
    listen 127.0.0.1:{https_port} ssl reuseport backlog=4096;
    ssl_certificate {certificate}; ssl_certificate_key {certificate};
    ssl_session_cache shared:sessions:10m; ssl_protocols TLSv1.2 TLSv1.3;
    location / {{ proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection \"\"; }}
  }}
}}
",
        log = log.display()
    )
}

fn start_nginx(nginx: &Path, folder: &Path, name: &str, config: &str) -> Result<Process> {
    let file = config_file(folder, name);
    std::fs::write(&file, config)?;
    let mut command = Command::new(nginx);
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(&file)
        .args(["-g", "daemon off;"]);
    Process::start(command, folder, name)
}

fn start_haproxy(haproxy: &Path, place: &Place<'_>) -> Result<Process> {
    let Place {
        folder,
        certificate,
        port,
        https_port,
        upstream,
        name,
    } = place;
    let config = format!(
        "global
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 1s
  timeout client 30s
  timeout server 30s
frontend edge
  bind 127.0.0.1:{port}
  bind 127.0.0.1:{https_port} ssl crt {certificate}
  default_backend backend
backend backend
  http-reuse always
  server one 127.0.0.1:{upstream}
",
        certificate = certificate.display()
    );
    let file = config_file(folder, name);
    std::fs::write(&file, config)?;
    let mut command = Command::new(haproxy);
    command.arg("-f").arg(&file).arg("-db");
    Process::start(command, folder, name)
}

/// Starts the gateway with a quota, security headers, metrics and traces of which 1 % are recorded.
fn start_gateway(
    gateway: &Path,
    place: &Place<'_>,
    admin: u16,
    (routes, links): (usize, &str),
    log: &str,
) -> Result<Process> {
    let (port, https_port, upstream) = (place.port, place.https_port, place.upstream);
    let mut config = format!(
        "version: 1
# All clients of the bench have one address, whose number of connections would be limited.
listeners:
  edge: {{bind: \"127.0.0.1:{port}\", trusted_proxies: [127.0.0.1/32]}}
  secure:
    bind: \"127.0.0.1:{https_port}\"
    trusted_proxies: [127.0.0.1/32]
    tls: {{cert: \"{certificate}\", key: \"{certificate}\"}}
limits: {{connections: 20000, header_time: 60s}}
upstreams: {{backend: {{discover: {{static: [\"127.0.0.1:{upstream}\"]}}}}}}
policies: {{open: [anonymous, {{rate: {{by: address, quota: 1000000000, window: 60s}}}}{links}]}}
routes:
  root: {{match: {{path: /, methods: [GET]}}, use: [open], to: backend}}
",
        certificate = place.certificate.display(),
        links = links.replace(
            "plugins/",
            &cargo::workspace().join("gateway/plugins/").to_string_lossy()
        )
    );
    for number in 1..routes {
        writeln!(
            config,
            "  r{number}: {{match: {{path: \"/r{number}/{{id}}\", methods: [GET]}}, use: [open], to: backend}}"
        )?;
    }
    let file = config_file(place.folder, place.name);
    std::fs::write(&file, config)?;
    let mut command = Command::new(gateway);
    command
        .env("SOUK_GATEWAY_CONFIG", &file)
        .env("SOUK_ADMIN_ADDR", format!("127.0.0.1:{admin}"))
        .env("SOUK_LOG", "json")
        .env("RUST_LOG", log)
        .env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
        .env("OTEL_TRACES_SAMPLER_ARG", "0.01");
    Process::start(command, place.folder, place.name)
}
