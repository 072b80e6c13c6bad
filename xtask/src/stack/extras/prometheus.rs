//! Starts a private Prometheus, which scrapes every process of the system and uses the same rules as under Compose.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};

use super::{Extra, Stack, quoted};
use crate::{cargo, stack::services, system::install, web};

/// Port of the web pages if it is free, the same as under Compose.
pub(super) const USUAL_PORT: u16 = 9090;

pub(super) fn start(stack: &mut Stack) -> Result<()> {
    let file = install::program("prometheus", "prometheus", &stack.log("install"))?;
    let folder = stack.data("prometheus")?;
    let url = Extra::Prometheus.url(stack)?.unwrap_or_default();
    let mut targets = vec![];
    for name in services::ORDER {
        targets.push((name, stack.state.port(&format!("{name}-admin"))?));
    }
    let broker = stack.state.port("rabbitmq-prometheus")?;
    stack.save()?;
    let address = url.trim_start_matches("http://");
    let rules = rules(stack)?;
    let settings = settings(address, &targets, broker, &rules);
    let settings = stack.settings("prometheus", "prometheus.yml", &settings)?;
    let mut program = stack.program(
        &stack.reachable(&file)?,
        &[
            &format!("--config.file={}", settings.display()),
            &format!("--storage.tsdb.path={}", folder.join("series").display()),
            "--storage.tsdb.retention.time=7d",
            &format!("--web.listen-address={address}"),
            &format!("--web.external-url={url}"),
            "--log.level=warn",
        ],
    );
    program.reads = rules;
    program.reads.push(settings);
    let ready = format!("{url}/-/ready");
    stack.ensure("prometheus", &program, Duration::from_mins(1), |_| {
        web::is_ok(&ready)
    })
}

/// Paths of the repository's rule files at which the servers' account can read them.
fn rules(stack: &Stack) -> Result<Vec<PathBuf>> {
    let folder = cargo::workspace().join("deploy/prometheus/rules");
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut files = entries
        .map(|entry| stack.reachable(&entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

/// The configuration file. It differs from deploy/prometheus/prometheus.yml only in the addresses, since rules and
/// dashboards need the same labels.
fn settings(own: &str, targets: &[(&str, u16)], broker: u16, rules: &[PathBuf]) -> String {
    let mut text = "global: {scrape_interval: 10s, evaluation_interval: 10s}\nrule_files:\n".to_owned();
    for file in rules {
        let _ = writeln!(text, "  - {}", quoted(file));
    }
    text += "scrape_configs:\n  - job_name: souk\n    static_configs:\n";
    for (service, port) in targets {
        let _ = writeln!(
            text,
            "      - {{targets: [\"127.0.0.1:{port}\"], labels: {{service: {service}}}}}"
        );
    }
    let _ = write!(
        text,
        "  - job_name: rabbitmq
    metrics_path: /metrics/detailed
    params: {{family: [queue_coarse_metrics, queue_consumer_count]}}
    static_configs:
      - {{targets: [\"127.0.0.1:{broker}\"], labels: {{service: rabbitmq}}}}
  - job_name: prometheus
    static_configs:
      - {{targets: [\"{own}\"], labels: {{service: prometheus}}}}
"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a configuration that rules and dashboards depend on: the jobs, and which metrics the broker exposes.
    fn jobs(text: &str) -> Vec<&str> {
        let lines = text.lines().map(|line| line.trim().trim_start_matches("- "));
        let keys = ["job_name:", "metrics_path:", "params:"];
        lines
            .filter(|line| keys.iter().any(|key| line.starts_with(key)))
            .collect()
    }

    #[test]
    fn the_jobs_and_targets_are_those_of_compose() {
        let compose = include_str!("../../../../deploy/prometheus/prometheus.yml");
        let targets: Vec<_> = services::ORDER.into_iter().zip(20_000..).collect();
        let ours = settings("127.0.0.1:9090", &targets, 15692, &["/it's/slo.yml".into()]);
        assert_eq!(jobs(&ours), jobs(compose));
        for line in ["scrape_interval: 10s", "evaluation_interval: 10s"] {
            assert!(compose.contains(line) && ours.contains(line), "{line}");
        }
        let names = compose
            .lines()
            .find_map(|line| line.trim().strip_prefix("- names: ["))
            .unwrap();
        for service in names.trim_end_matches(']').split(", ") {
            assert!(
                ours.contains(&format!("labels: {{service: {service}}}")),
                "{service}"
            );
        }
        assert_eq!(names.split(", ").count(), services::ORDER.len());
        assert!(ours.contains("- '/it''s/slo.yml'"));
    }
}
