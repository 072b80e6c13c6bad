//! Compares the gateway with nginx and HAProxy in front of the same upstream, in turns on the same machine.
//!
//! Each proxy forwards to one upstream over kept connections and writes an access log. The load generator, the upstream and
//! the proxy share the cores, so the CPU time per request says more than the requests per second.

mod process;
mod proxies;
mod report;
mod tools;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Resource, Signal, getrlimit, setrlimit};

use crate::{
    cargo, interrupt,
    progress::{heading, note},
};

use process::Usage;
use proxies::Proxies;
use report::{Column, Table};
use tools::Tools;

/// How the proxies are measured.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub(crate) struct Options {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Number of measurements of each proxy; the tables show their medians.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Number of connections of the load generator.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Requests per second at which latencies are compared.
    #[arg(long, value_delimiter = ',', default_value = "2000,5000")]
    rates: Vec<u32>,
    /// Number of idle connections for measuring memory. Fewer are opened if a process may not open twice as many files.
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
}

/// Runs the comparison and prints its tables.
pub(crate) fn run(options: &Options) -> Result<()> {
    interrupt::listen()?;
    let folder = cargo::workspace().join("target/souk-bench/gateway");
    std::fs::create_dir_all(&folder)?;
    let tools = Tools::install(&folder)?;
    let idle = affordable(options.idle)?;
    let proxies = Proxies::start(&folder, &tools)?;
    throughput(&tools, &proxies, options)?;
    fixed_rates(&tools, &proxies, options)?;
    https(&tools, &proxies, options)?;
    idle_connections(&proxies, idle)?;
    reloads(&tools, &proxies, &folder, options)
}

/// As many requests as possible, from connections that are kept.
fn throughput(tools: &Tools, proxies: &Proxies, options: &Options) -> Result<()> {
    let mut table = Table::new(&[
        Column::compared("requests/s", "", 0),
        Column::compared("CPU per request", " µs", 1),
        Column::plain("p50", " ms", 2),
        Column::plain("p99", " ms", 2),
        Column::plain("memory", " MiB", 0),
    ]);
    rounds("requests/s", options, || {
        for proxy in &proxies.all {
            let before = Usage::of(&proxy.process)?;
            let started = Instant::now();
            let load = tools.wrk(&proxy.url(), options)?.without_failures(proxy.name)?;
            let requests = load.rate * started.elapsed().as_secs_f64();
            let usage = Usage::of(&proxy.process)?;
            let cpu = (usage.cpu - before.cpu) * 1e6 / requests;
            table.add(proxy.name, &[load.rate, cpu, load.p50, load.p99, usage.memory]);
        }
        Ok(())
    })?;
    heading("As many requests as possible; nginx = 1 in brackets");
    table.print()?;
    table.plot("Requests per second (nginx = 1)", 0)
}

/// Latency at rates that every proxy can serve, compared with requests that go to the upstream directly.
fn fixed_rates(tools: &Tools, proxies: &Proxies, options: &Options) -> Result<()> {
    for rate in &options.rates {
        let direct = [("direct", proxies.upstream_url())];
        let compared = proxies
            .compared()
            .map(|proxy| (proxy.name, proxy.url()))
            .into_iter();
        let targets: Vec<_> = direct.into_iter().chain(compared).collect();
        let mut table = Table::new(&[
            Column::plain("p50", " µs", 0),
            Column::plain("p99", " µs", 0),
            Column::plain("p99.9", " µs", 0),
        ]);
        rounds(&format!("{rate} requests/s"), options, || {
            for (name, url) in &targets {
                let latency = tools.h2load(url, options, *rate)?;
                table.add(name, &latency);
            }
            Ok(())
        })?;
        heading(&format!("Latency at {rate} requests/s"));
        table.print()?;
        table.plot_difference(
            &format!("Added p99 at {rate} requests/s, in microseconds"),
            1,
            "direct",
        )?;
    }
    Ok(())
}

/// Requests over kept HTTPS connections, and handshakes of new and of resumed sessions.
fn https(tools: &Tools, proxies: &Proxies, options: &Options) -> Result<()> {
    let mut table = Table::new(&[
        Column::compared("requests/s", "", 0),
        Column::compared("CPU per request", " µs", 1),
        Column::compared("CPU per new session", " µs", 0),
        Column::compared("CPU per resumed session", " µs", 0),
    ]);
    let compared = proxies.compared();
    rounds("HTTPS", options, || {
        for proxy in &compared {
            let cpu = |count: f64, before: Usage| {
                anyhow::Ok((Usage::of(&proxy.process)?.cpu - before.cpu) * 1e6 / count)
            };
            let (before, started) = (Usage::of(&proxy.process)?, Instant::now());
            let load = tools
                .wrk(&proxy.https_url(), options)?
                .without_failures(proxy.name)?;
            let request = cpu(load.rate * started.elapsed().as_secs_f64(), before)?;
            let mut sessions = [0.0; 2];
            for (found, is_resumed) in sessions.iter_mut().zip([false, true]) {
                let before = Usage::of(&proxy.process)?;
                let count = tools.handshakes(proxy.https_port, options.seconds, is_resumed)?;
                *found = cpu(count, before)?;
            }
            table.add(proxy.name, &[load.rate, request, sessions[0], sessions[1]]);
        }
        Ok(())
    })?;
    heading("HTTPS; nginx = 1 in brackets");
    table.print()
}

/// Memory before and while many connections are open that have had one request each.
fn idle_connections(proxies: &Proxies, count: usize) -> Result<()> {
    let mut table = Table::new(&[
        Column::plain("before", " MiB", 1),
        Column::plain("with the connections", " MiB", 1),
        Column::plain("per connection", " KiB", 1),
    ]);
    for proxy in proxies.compared() {
        interrupt::check()?;
        let before = Usage::of(&proxy.process)?.memory;
        let connections: Result<Vec<_>> = (0..count).map(|_| idle_connection(proxy.port)).collect();
        let connections = connections.with_context(|| format!("with {}", proxy.name))?;
        let after = Usage::of(&proxy.process)?.memory;
        drop(connections);
        let each = (after - before) * 1024.0 / f64::from(u32::try_from(count)?);
        table.add(proxy.name, &[before, after, each]);
    }
    heading(&format!("Memory with {count} idle connections"));
    table.print()
}

/// A connection that has had one response.
fn idle_connection(port: u16) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let (body, mut response, mut buffer) = (proxies::body(), Vec::new(), [0; 4096]);
    while !response.ends_with(body.as_bytes()) {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the connection was closed");
        response.extend_from_slice(&buffer[..read]);
    }
    Ok(stream)
}

/// As many requests as possible while the configuration is reloaded five times a second, and without.
fn reloads(tools: &Tools, proxies: &Proxies, folder: &Path, options: &Options) -> Result<()> {
    let [nginx, _, gateway] = proxies.compared();
    let mut table = Table::new(&[
        Column::plain("requests/s", "", 0),
        Column::plain("p99", " ms", 2),
        Column::plain("failed requests", "", 0),
    ]);
    let cases = [
        ("nginx", nginx, false),
        ("nginx, reloaded", nginx, true),
        ("gateway", gateway, false),
        ("gateway, reloaded", gateway, true),
    ];
    rounds("reloads", options, || {
        for (name, proxy, is_reloaded) in cases {
            let load = std::thread::scope(|scope| {
                let load = scope.spawn(|| tools.wrk(&proxy.url(), options));
                while is_reloaded && !load.is_finished() {
                    // The gateway ignores a file that has not changed.
                    proxies::touch(folder, proxy.name)?;
                    proxy.process.signal(Signal::HUP)?;
                    interrupt::pause(Duration::from_millis(200));
                }
                load.join()
                    .map_err(|_| anyhow::anyhow!("the load generator panicked"))?
            })?;
            table.add(name, &[load.rate, load.p99, f64::from(load.failed)]);
        }
        Ok(())
    })?;
    heading("Five reloads a second");
    table.print()
}

/// Calls `measure` as often as the options ask for.
fn rounds(what: &str, options: &Options, mut measure: impl FnMut() -> Result<()>) -> Result<()> {
    for round in 1..=options.rounds {
        interrupt::check()?;
        note(&format!("{what}: round {round} of {}", options.rounds));
        measure()?;
    }
    Ok(())
}

/// Allows this process, and those that it starts, as many files as possible. Returns for how many connections they
/// suffice, at most `wanted`: a proxy reserves a second file for the connection to the upstream.
fn affordable(wanted: usize) -> Result<usize> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    let files = usize::try_from(limit.maximum.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    Ok((files / 2).saturating_sub(500).min(wanted))
}
