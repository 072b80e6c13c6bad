//! Instances of services that the test starts and replaces itself, and what routes requests to them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use e2e::stack::{Process, free_port};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

const TIMEOUT: Duration = Duration::from_mins(1);

/// The settings of a service, without the addresses that differ between its instances.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    environment: BTreeMap<String, String>,
    logs: PathBuf,
}

impl Service {
    /// Reads the settings of a running process, from which instances get theirs.
    pub(crate) fn of(process: &Process, name: &'static str, logs: &Path) -> Self {
        let environment = std::fs::read_to_string(format!("/proc/{}/environ", process.pid)).unwrap();
        let settings = environment.split('\0').filter_map(|pair| pair.split_once('='));
        Self {
            name,
            environment: settings.map(|(key, value)| (key.into(), value.into())).collect(),
            logs: logs.to_owned(),
        }
    }

    /// Replaces the host and the port of a URL in the settings.
    pub(crate) fn redirect(&mut self, key: &str, address: SocketAddr) {
        let url = self.environment.get_mut(key).unwrap();
        let (scheme, _) = url.split_once("://").unwrap();
        *url = format!("{scheme}://{address}");
    }
}

/// The addresses of one instance, which its replacements keep.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    admin: SocketAddr,
}

impl Slot {
    pub(crate) fn new() -> Self {
        let address = || SocketAddr::from(([127, 0, 0, 1], free_port()));
        Self {
            http: address(),
            grpc: address(),
            admin: address(),
        }
    }
}

/// A running process of a service.
pub(crate) struct Instance {
    slot: Slot,
    child: Child,
}

impl Instance {
    /// Starts the program in this folder and waits until it is ready.
    pub(crate) async fn start(service: &Service, slot: Slot, programs: &Path) -> Self {
        let log = service
            .logs
            .join(format!("{}-{}.log", service.name, slot.http.port()));
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let mut command = Command::new(programs.join(service.name));
        command
            .env_clear()
            .envs(&service.environment)
            .env("SOUK_HTTP_ADDR", slot.http.to_string())
            .env("SOUK_ADMIN_ADDR", slot.admin.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if service.environment.contains_key("SOUK_GRPC_ADDR") {
            command.env("SOUK_GRPC_ADDR", slot.grpc.to_string());
        }
        let child = command.spawn().unwrap();
        let ready = format!("http://{}/readyz", slot.admin);
        testkit::eventually("the instance is ready", TIMEOUT, async || {
            let response = reqwest::get(&ready).await.ok()?;
            response.status().is_success().then_some(())
        })
        .await;
        Self { slot, child }
    }

    /// Sends SIGTERM, waits until the process has ended, and starts the program of another version in its place.
    pub(crate) async fn replace(&mut self, service: &Service, programs: &Path) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let status = testkit::eventually("the instance stops", TIMEOUT, async || {
            self.child.try_wait().unwrap()
        })
        .await;
        assert!(status.success(), "{} ended with {status}", service.name);
        let next = Self::start(service, self.slot, programs).await;
        // The process has ended already.
        drop(std::mem::replace(self, next));
    }

    /// How many commands of this kind the instance has handled.
    pub(crate) async fn handled(&self, kind: &str) -> f64 {
        let url = format!("http://{}/metrics", self.slot.admin);
        let metrics = reqwest::get(url).await.unwrap().text().await.unwrap();
        let kind = format!("kind=\"{kind}\"");
        let count = metrics.lines().filter(|line| {
            line.starts_with("messaging_process_duration_seconds_count{")
                && line.contains(&kind)
                && line.contains("outcome=\"handled\"")
        });
        count
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a proxy that forwards each connection to an instance that accepts it, as a service address of Kubernetes does.
/// Returns its address.
pub(crate) async fn service_address(instances: Vec<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let turn = AtomicUsize::new(0);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let first = turn.fetch_add(1, Ordering::Relaxed);
            let order: Vec<_> = (0..instances.len())
                .map(|step| instances[(first + step) % instances.len()])
                .collect();
            tokio::spawn(async move {
                for instance in order {
                    if let Ok(mut server) = TcpStream::connect(instance).await {
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                        return;
                    }
                }
            });
        }
    });
    address
}
