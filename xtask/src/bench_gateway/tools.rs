//! The programs that make load: wrk for as much as possible, h2load for fixed rates, and OpenSSL for TLS handshakes.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use super::Options;
use crate::system::install;

/// The servers to compare with and the programs that make load, as installed on this machine.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) nginx: PathBuf,
    pub(super) haproxy: PathBuf,
    wrk: PathBuf,
    h2load: PathBuf,
    openssl: PathBuf,
    folder: PathBuf,
}

/// What wrk has measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// Number of requests per second.
    pub(super) rate: f64,
    /// Median latency, in milliseconds.
    pub(super) p50: f64,
    /// 99th percentile of the latency, in milliseconds.
    pub(super) p99: f64,
    /// Number of requests and connections that failed.
    pub(super) failed: u32,
}

impl Tools {
    /// Finds or installs the programs. Their files will be in `folder`.
    pub(super) fn install(folder: &Path) -> Result<Self> {
        let log = &folder.join("install.log");
        Ok(Self {
            nginx: install::program("nginx", "nginx-light", log)?,
            haproxy: install::program("haproxy", "haproxy", log)?,
            wrk: install::program("wrk", "wrk", log)?,
            h2load: install::program("h2load", "nghttp2-client", log)?,
            openssl: install::program("openssl", "openssl", log)?,
            folder: folder.to_owned(),
        })
    }

    /// Makes a certificate of its own issuer. The file contains the key, too.
    pub(super) fn certificate(&self) -> Result<PathBuf> {
        let (key, file) = (self.folder.join("key.pem"), self.folder.join("certificate.pem"));
        let mut command = Command::new(&self.openssl);
        command
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
        output(command.arg("-keyout").arg(&key).arg("-out").arg(&file))?;
        let both = std::fs::read_to_string(&file)? + &std::fs::read_to_string(&key)?;
        std::fs::write(&file, both)?;
        Ok(file)
    }

    /// Sends as many requests as possible.
    pub(super) fn wrk(&self, url: &str, options: &Options) -> Result<Load> {
        let mut command = Command::new(&self.wrk);
        command
            .args(["-t1", "--latency"])
            .arg(format!("-c{}", options.connections))
            .arg(format!("-d{}s", options.seconds))
            .arg(url);
        let text = output(&mut command)?;
        Load::parse(&text).with_context(|| format!("wrk's output is unknown:\n{text}"))
    }

    /// Sends `rate` requests per second, distributed over the connections. Returns the median, the 99th and the 99.9th
    /// percentile of the latency in microseconds.
    pub(super) fn h2load(&self, url: &str, options: &Options, rate: u32) -> Result<[f64; 3]> {
        let (connections, seconds) = (options.connections, options.seconds);
        let file = self.folder.join("latencies.tsv");
        if file.exists() {
            // h2load would append to it.
            std::fs::remove_file(&file)?;
        }
        let each = f64::from(rate) / f64::from(u32::try_from(connections)?);
        let mut command = Command::new(&self.h2load);
        command
            .arg("--h1")
            .arg(format!("--clients={connections}"))
            .arg(format!("--duration={seconds}"))
            .arg(format!("--rps={each}"))
            .arg(format!("--log-file={}", file.display()))
            .arg(url);
        output(&mut command)?;
        let mut latencies = Vec::new();
        for line in std::fs::read_to_string(&file)?.lines() {
            let mut words = line.split('\t').skip(1);
            let (status, latency) = (words.next(), words.next());
            ensure!(status == Some("200"), "a request to {url} failed: {line}");
            latencies.push(latency.context("no latency")?.parse::<u32>()?);
        }
        latencies.sort_unstable();
        let expected = f64::from(rate) * f64::from(u32::try_from(seconds)?);
        let count = latencies.len();
        ensure!(
            f64::from(u32::try_from(count)?) > 0.9 * expected,
            "only {count} requests within {seconds} s; the machine is too slow for {rate} a second"
        );
        Ok([500, 990, 999].map(|permille| f64::from(latencies[(count - 1) * permille / 1000])))
    }

    /// Opens connections one after another, each with one request, and returns their number.
    pub(super) fn handshakes(&self, port: u16, seconds: u64, is_resumed: bool) -> Result<f64> {
        let mut command = Command::new(&self.openssl);
        command
            .args(["s_time", "-www", "/", "-connect", &format!("127.0.0.1:{port}")])
            .args(["-time", &seconds.to_string()])
            .arg(if is_resumed { "-reuse" } else { "-new" });
        let text = output(&mut command)?;
        // "2345 connections in 4 real seconds, 1024 bytes read per connection"
        let line = text.lines().find(|line| line.contains("real seconds"));
        let count = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        count.with_context(|| format!("openssl's output is unknown:\n{text}"))
    }
}

impl Load {
    /// Fails if a request to the proxy of this name failed.
    pub(super) fn without_failures(self, name: &str) -> Result<Self> {
        ensure!(
            self.failed == 0,
            "{} of the requests to {name} failed",
            self.failed
        );
        Ok(self)
    }

    fn parse(text: &str) -> Option<Self> {
        let words = |label: &str| {
            let line = text
                .lines()
                .find_map(|line| line.trim_start().strip_prefix(label))?;
            Some(line.split_whitespace())
        };
        let failed: u32 = ["Socket errors:", "Non-2xx or 3xx responses:"]
            .into_iter()
            .filter_map(words)
            .flatten()
            .filter_map(|word| word.trim_end_matches(',').parse::<u32>().ok())
            .sum();
        Some(Self {
            rate: words("Requests/sec:")?.next()?.parse().ok()?,
            p50: millis(words("50%")?.next()?)?,
            p99: millis(words("99%")?.next()?)?,
            failed,
        })
    }
}

/// A time as wrk writes it, such as `812.00us` or `1.20ms`, in milliseconds.
fn millis(text: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0)];
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    Some(number.parse::<f64>().ok()? * factor)
}

fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{} failed:\n{text}{}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_wrk_is_read() {
        let text = "  Latency Distribution\n     50%  812.00us\n     99%    1.20ms\n  4000 requests in 1.00s, 1MB read\n  \
                    Socket errors: connect 0, read 2, write 1, timeout 0\n  Non-2xx or 3xx responses: 4\n\
                    Requests/sec:   3999.50\n";
        let load = Load::parse(text).unwrap();
        assert_eq!((load.rate, load.failed), (3999.5, 7));
        assert!((load.p50 - 0.812).abs() < 1e-9 && (load.p99 - 1.2).abs() < 1e-9);
        assert_eq!(millis("2.00s"), Some(2000.0));
        assert_eq!(millis("fast"), None);
        assert!(Load::parse("unable to connect").is_none());
    }
}
