//! Compares the gateway with nginx and HAProxy in front of the same upstream, in turns on the same machine.
//!
//! Each proxy forwards to one upstream over kept connections and writes an access log. The load generator, the upstream and
//! the proxy share the cores, so the CPU time per request says more than the requests per second.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    cargo::{self, Profile},
    interrupt,
    output::print,
    progress::{heading, note},
    system::{install, ports},
};

/// How the proxies are measured.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct Options {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Number of measurements of each proxy; the table shows their median.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Number of connections of the load generator.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Number of routes of the gateway.
    #[arg(long, default_value_t = 1)]
    routes: usize,
}

/// A running process, which is ended when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Not killed at once: nginx must end its workers.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let has_ended = interrupt::wait(Duration::from_secs(5), || Ok(self.0.try_wait()?.is_some()));
        if !has_ended.unwrap_or(false) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// What one measurement found.
#[derive(Debug, Clone, Copy)]
struct Measurement {
    /// Number of requests per second.
    rate: f64,
    /// CPU time of the proxy per request, in microseconds.
    cpu: f64,
    /// Median and 99th percentile of the latency, in milliseconds.
    latency: [f64; 2],
    /// Resident memory, in MiB.
    memory: f64,
}

/// Runs the comparison and prints its table.
pub(crate) fn run(options: &Options) -> Result<()> {
    interrupt::listen()?;
    let folder = cargo::workspace().join("target/souk-bench/gateway");
    std::fs::create_dir_all(&folder)?;
    let log = folder.join("install.log");
    let nginx = install::program("nginx", "nginx-light", &log)?;
    let haproxy = install::program("haproxy", "haproxy", &log)?;
    let wrk = install::program("wrk", "wrk", &log)?;
    cargo::run(&["build", "--quiet", "--release", "--workspace", "--bin", "gateway"])?;
    let gateway = Profile::Release.binaries()?.join("gateway");

    let mut taken = BTreeMap::new();
    for name in [
        "upstream",
        "nginx",
        "haproxy",
        "gateway",
        "gateway without logs",
        "admin",
        "quiet admin",
    ] {
        let port = ports::pick(&taken)?;
        taken.insert(name.to_owned(), port);
    }
    let port = |name: &str| taken[name];
    let config = folder.join("upstream.conf");
    let _upstream = start_nginx(&nginx, &folder, &config, &upstream(port("upstream")))?;
    let config = folder.join("nginx.conf");
    let text = nginx_proxy(&folder, port("nginx"), port("upstream"));
    let proxies = [
        ("nginx", start_nginx(&nginx, &folder, &config, &text)?),
        (
            "haproxy",
            start_haproxy(&haproxy, &folder, port("haproxy"), port("upstream"))?,
        ),
        (
            "gateway",
            start_gateway(
                &gateway,
                &folder,
                options,
                [port("gateway"), port("admin"), port("upstream")],
                "info",
            )?,
        ),
        (
            "gateway without logs",
            start_gateway(
                &gateway,
                &folder,
                options,
                [
                    port("gateway without logs"),
                    port("quiet admin"),
                    port("upstream"),
                ],
                "warn",
            )?,
        ),
    ];
    for (name, _) in &proxies {
        let port = port(name);
        ensure!(
            interrupt::wait(Duration::from_secs(10), || Ok(ports::is_open(port)))?,
            "{name} does not listen; see the logs in {}",
            folder.display()
        );
        load(&wrk, port, 1, options)?;
    }
    let mut found: BTreeMap<&str, Vec<Measurement>> = BTreeMap::new();
    for round in 1..=options.rounds {
        note(&format!("round {round} of {}", options.rounds));
        for (name, process) in &proxies {
            interrupt::check()?;
            let measured = measure(&wrk, process, port(name), options)?;
            found.entry(name).or_default().push(measured);
        }
    }
    heading("Medians; nginx = 1 in brackets");
    let names: Vec<&str> = proxies.iter().map(|(name, _)| *name).collect();
    show(&names, &found)?;
    Ok(())
}

/// An upstream that answers every request with one KiB.
fn upstream(port: u16) -> String {
    let body = "x".repeat(1024);
    format!(
        "worker_processes 1; pid upstream.pid; error_log upstream.log;
events {{}}
http {{
  access_log off; keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ default_type text/plain; return 200 \"{body}\"; }} }}
}}
"
    )
}

fn nginx_proxy(folder: &Path, port: u16, upstream: u16) -> String {
    let log = folder.join("nginx-access.log");
    format!(
        "worker_processes auto; pid nginx.pid; error_log nginx.log;
events {{}}
http {{
  access_log {log} combined; keepalive_requests 1000000000;
  upstream backend {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} reuseport backlog=4096;
    location / {{ proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection \"\"; }}
  }}
}}
",
        log = log.display()
    )
}

fn start_nginx(nginx: &Path, folder: &Path, config: &Path, text: &str) -> Result<Running> {
    std::fs::write(config, text)?;
    let mut command = Command::new(nginx);
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(config)
        .args(["-g", "daemon off;"]);
    start(command, folder, "nginx")
}

fn start_haproxy(haproxy: &Path, folder: &Path, port: u16, upstream: u16) -> Result<Running> {
    let config = folder.join("haproxy.cfg");
    let text = format!(
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
  default_backend backend
backend backend
  http-reuse always
  server one 127.0.0.1:{upstream}
"
    );
    std::fs::write(&config, text)?;
    let mut command = Command::new(haproxy);
    command.arg("-f").arg(&config).arg("-db");
    start(command, folder, "haproxy")
}

/// Starts the gateway with a quota, security headers, metrics and traces of which 1 % are recorded.
fn start_gateway(
    gateway: &Path,
    folder: &Path,
    options: &Options,
    [port, admin, upstream]: [u16; 3],
    log: &str,
) -> Result<Running> {
    let config = folder.join(format!("gateway-{log}.yaml"));
    let mut text = format!(
        "version: 1
listeners: {{edge: {{bind: \"127.0.0.1:{port}\"}}}}
upstreams: {{backend: {{discover: {{static: [\"127.0.0.1:{upstream}\"]}}}}}}
policies: {{open: [anonymous, {{rate: {{by: address, quota: 1000000000, window: 60s}}}}]}}
routes:
  root: {{match: {{path: /, methods: [GET]}}, use: [open], to: backend}}
"
    );
    for number in 1..options.routes {
        let _ = writeln!(
            text,
            "  r{number}: {{match: {{path: \"/r{number}/{{id}}\", methods: [GET]}}, use: [open], to: backend}}"
        );
    }
    std::fs::write(&config, text)?;
    let mut command = Command::new(gateway);
    command
        .env("SOUK_GATEWAY_CONFIG", &config)
        .env("SOUK_ADMIN_ADDR", format!("127.0.0.1:{admin}"))
        .env("SOUK_LOG", "json")
        .env("RUST_LOG", log)
        .env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
        .env("OTEL_TRACES_SAMPLER_ARG", "0.01");
    start(command, folder, &format!("gateway-{log}"))
}

fn start(mut command: Command, folder: &Path, name: &str) -> Result<Running> {
    let out = std::fs::File::create(folder.join(format!("{name}.out")))?;
    command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    Ok(Running(
        command.spawn().with_context(|| format!("cannot start {name}"))?,
    ))
}

/// Runs the load generator and returns its output.
fn load(wrk: &Path, port: u16, seconds: u64, options: &Options) -> Result<String> {
    let output = Command::new(wrk)
        .args([
            "-t1",
            "--latency",
            &format!("-c{}", options.connections),
            &format!("-d{seconds}s"),
        ])
        .arg(format!("http://127.0.0.1:{port}/"))
        .output()
        .context("cannot run wrk")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("requests failed:\n{text}");
    }
    Ok(text)
}

fn measure(wrk: &Path, process: &Running, port: u16, options: &Options) -> Result<Measurement> {
    let pids = family(process.0.id())?;
    let before = cpu_time(&pids)?;
    let started = Instant::now();
    let text = load(wrk, port, options.seconds, options)?;
    let (took, used) = (started.elapsed(), cpu_time(&pids)? - before);
    let word = |label: &str, at: usize| -> Result<&str> {
        let line = text.lines().find(|line| line.trim_start().starts_with(label));
        let word = line.and_then(|line| line.split_whitespace().nth(at));
        word.with_context(|| format!("wrk's output has no `{label}`:\n{text}"))
    };
    let rate: f64 = word("Requests/sec:", 1)?.parse()?;
    Ok(Measurement {
        rate,
        cpu: used * 1e6 / (rate * took.as_secs_f64()),
        latency: [millis(word("50%", 1)?)?, millis(word("99%", 1)?)?],
        memory: memory(&pids)?,
    })
}

/// A process and its children.
fn family(pid: u32) -> Result<Vec<u32>> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    Ok(std::iter::once(pid).chain(children).collect())
}

/// CPU time of the processes so far, in seconds.
fn cpu_time(pids: &[u32]) -> Result<f64> {
    let mut nanoseconds = 0.0;
    for pid in pids {
        for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let used: f64 = text.split(' ').next().unwrap_or_default().parse()?;
            nanoseconds += used;
        }
    }
    Ok(nanoseconds / 1e9)
}

/// Resident memory of the processes, in MiB.
fn memory(pids: &[u32]) -> Result<f64> {
    let mut total = 0.0;
    for pid in pids {
        let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line
            .and_then(|line| line.split_whitespace().next())
            .unwrap_or("0");
        total += kib.parse::<f64>()? / 1024.0;
    }
    Ok(total)
}

/// A time as wrk writes it, such as `812.00us` or `1.20ms`, in milliseconds.
fn millis(text: &str) -> Result<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0)];
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .with_context(|| format!("`{text}` is not a time"))?;
    Ok(number.parse::<f64>()? * factor)
}

fn show(names: &[&str], found: &BTreeMap<&str, Vec<Measurement>>) -> std::io::Result<()> {
    let median = |name: &str, value: fn(&Measurement) -> f64| {
        let mut values: Vec<f64> = found[name].iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    print("| proxy | requests/s | CPU per request | p50 | p99 | memory |")?;
    print("| --- | ---: | ---: | ---: | ---: | ---: |")?;
    for name in names {
        let ratio = |value: fn(&Measurement) -> f64| median(name, value) / median("nginx", value);
        print(format_args!(
            "| {name} | {:.0} ({:.2}) | {:.1} µs ({:.2}) | {:.2} ms | {:.2} ms | {:.0} MiB |",
            median(name, |one| one.rate),
            ratio(|one| one.rate),
            median(name, |one| one.cpu),
            ratio(|one| one.cpu),
            median(name, |one| one.latency[0]),
            median(name, |one| one.latency[1]),
            median(name, |one| one.memory),
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_load_generator_have_units() {
        assert!((millis("812.00us").unwrap() - 0.812).abs() < 1e-9);
        assert!((millis("1.20ms").unwrap() - 1.2).abs() < 1e-9);
        assert!((millis("2.00s").unwrap() - 2000.0).abs() < 1e-9);
        assert!(millis("fast").is_err());
    }
}
