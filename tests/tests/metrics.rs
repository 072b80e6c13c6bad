//! Tests that the running system exposes every metric and label that dashboards and alert rules query. Otherwise panels
//! would be empty and alerts would never fire. The unit tests of the rules run here, too.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use e2e::{Client, Stack};
use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{self, Expr, VectorSelector},
    util::{ExprVisitor, walk_expr},
};
use serde_json::Value;

/// The labels of each metric: their names, and each `name="value"`.
type Series = BTreeMap<String, BTreeSet<String>>;

/// Metrics that RabbitMQ exposes at /metrics/detailed, and those that Prometheus adds.
const EXTERNAL_METRICS: [(&str, &[&str]); 5] = [
    ("rabbitmq_detailed_queue_messages_ready", &["vhost", "queue"]),
    ("rabbitmq_detailed_queue_messages_unacked", &["vhost", "queue"]),
    ("rabbitmq_detailed_queue_consumers", &["vhost", "queue"]),
    ("up", &[]),
    (
        "ALERTS",
        &["alertname", "alertstate", "alertstate=\"firing\"", "severity"],
    ),
];
/// Labels that Prometheus adds to every series when it scrapes.
const TARGET_LABELS: [&str; 3] = ["service", "job", "instance"];

/// Label values that exist only after a failure.
const FAILURE_LABELS: [&str; 2] = ["outcome=\"error\"", "http_response_status_code=\"\""];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// Returns the files of a folder whose names have this ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(deploy().join(folder)).expect(folder);
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    assert!(!paths.is_empty(), "{folder} has no {ending}");
    paths
}

/// Collects all text values of a key at any depth.
fn values_of<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if let (true, Some(text)) = (name == key, inner.as_str()) {
                    found.push(text);
                }
                values_of(inner, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| values_of(item, key, found)),
        _ => {}
    }
}

/// Metrics, each with the labels that a `PromQL` expression matches or groups by, and each label value that it matches
/// exactly.
#[derive(Default)]
struct Queried {
    metrics: Vec<(String, BTreeSet<String>)>,
    groups: BTreeSet<String>,
}

impl Queried {
    fn of(expression: &str) -> Vec<(String, BTreeSet<String>)> {
        // Grafana replaces its variables by durations.
        let query = expression
            .replace("$__rate_interval", "5m")
            .replace("$__range", "1h");
        let parsed = parser::parse(&query).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let mut queried = Self::default();
        let Ok(_) = walk_expr(&mut queried, &parsed);
        for (_, labels) in &mut queried.metrics {
            labels.extend(queried.groups.iter().cloned());
        }
        queried.metrics
    }
}

impl ExprVisitor for Queried {
    type Error = Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Infallible> {
        let (selector, grouping) = match expression {
            Expr::VectorSelector(selector) => (Some(selector), None),
            Expr::MatrixSelector(range) => (Some(&range.vs), None),
            Expr::Aggregate(aggregate) => (None, aggregate.modifier.as_ref()),
            Expr::Binary(binary) => (None, binary.modifier.as_ref().and_then(|on| on.matching.as_ref())),
            _ => (None, None),
        };
        if let Some(VectorSelector { name, matchers, .. }) = selector {
            let labels = matchers.matchers.iter().flat_map(|Matcher { op, name, value }| {
                let is_exact = *op == MatchOp::Equal;
                [Some(name.clone()), is_exact.then(|| format!("{name}={value:?}"))]
            });
            self.metrics
                .push((name.clone().expect("a name"), labels.flatten().collect()));
        }
        self.groups.extend(
            grouping
                .into_iter()
                .flat_map(|grouping| grouping.labels().labels.clone()),
        );
        Ok(true)
    }
}

/// Adds the metrics and labels of a text in the exposition format to `series`.
fn parse_exposition(text: &str, series: &mut Series) {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = line.split_once(['{', ' ']).unwrap_or((line, ""));
        let labels = labels.rsplit_once('}').map_or("", |(labels, _)| labels);
        // A value may contain a comma, but not a quotation mark followed by a comma.
        let names = labels.split("\",").filter_map(|label| label.split_once("=\""));
        let known = series.entry(name.to_owned()).or_default();
        known.extend(names.flat_map(|(name, value)| {
            let value = value.trim_end_matches('"');
            [name.to_owned(), format!("{name}=\"{value}\"")]
        }));
    }
}

async fn scrape(stack: &Stack) -> Series {
    let mut series = Series::new();
    for url in stack
        .status
        .processes
        .iter()
        .filter_map(|process| process.admin_url.as_ref())
    {
        let response = reqwest::get(format!("{url}/metrics"))
            .await
            .expect("an admin port answers");
        parse_exposition(&response.text().await.expect("text"), &mut series);
    }
    for (name, labels) in EXTERNAL_METRICS {
        series.insert(
            name.to_owned(),
            labels.iter().map(|&label| label.to_owned()).collect(),
        );
    }
    series
}

/// Returns all expressions of dashboards and rules with their files, and the names that recording rules define.
fn expressions() -> (Vec<(String, String)>, BTreeSet<String>) {
    let (mut all, mut recorded) = (vec![], BTreeSet::new());
    for path in files("grafana/dashboards", ".json") {
        let text = fs::read_to_string(&path).expect("a dashboard");
        let dashboard: Value = serde_json::from_str(&text).expect("JSON");
        let mut found = vec![];
        values_of(&dashboard, "expr", &mut found);
        assert!(!found.is_empty(), "{} has no expression", path.display());
        all.extend(
            found
                .iter()
                .map(|expr| (path.display().to_string(), (*expr).to_owned())),
        );
    }
    for path in files("prometheus/rules", ".yml") {
        let text = fs::read_to_string(&path).expect("rules");
        let rules: Value = serde_saphyr::from_str(&text).expect("YAML");
        let (mut found, mut names) = (vec![], vec![]);
        values_of(&rules, "expr", &mut found);
        values_of(&rules, "record", &mut names);
        all.extend(
            found
                .iter()
                .map(|expr| (path.display().to_string(), (*expr).to_owned())),
        );
        recorded.extend(names.iter().map(|&name| name.to_owned()));
    }
    (all, recorded)
}

#[tokio::test]
async fn every_panel_and_alert_queries_exposed_metrics() {
    let stack = Stack::running();
    let gateway = &stack.status.gateway;
    let (admin, shopper) = tokio::join!(Client::admin(gateway), Client::shopper(gateway));
    // Some series exist only after their first use.
    let sku = admin.product(5).await;
    shopper.settled(&shopper.order(&sku, 1, "pm_card_ok").await).await;
    let (all, recorded) = expressions();
    let mut missing = BTreeSet::new();
    // Gauges that are read from the database exist some seconds after the start.
    for _ in 0..20 {
        let series = scrape(&stack).await;
        missing.clear();
        for (place, expression) in &all {
            for (metric, labels) in Queried::of(expression) {
                if recorded.contains(&metric) {
                    continue;
                }
                let Some(known) = series.get(&metric) else {
                    missing.insert(format!("{place}: {metric} in {expression}"));
                    continue;
                };
                for label in labels.iter().filter(|label| !known.contains(*label)) {
                    let name = label.split('=').next().unwrap_or_default();
                    if !TARGET_LABELS.contains(&name) && !FAILURE_LABELS.contains(&label.as_str()) {
                        missing.insert(format!("{place}: label {label} of {metric} in {expression}"));
                    }
                }
            }
        }
        if missing.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("these metrics or labels are not exposed:\n{missing:#?}");
}

#[test]
fn queried_metrics_include_names_and_labels() {
    let expression = r#"histogram_quantile(0.9, sum by (le, kind) (rate(a_bucket{q=~".*x",o!="y",e="z"}[5m]))) or slo:b > 2 * 1e3"#;
    let set = |labels: &[&str]| {
        labels
            .iter()
            .map(|&label| label.to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        Queried::of(expression),
        [
            (
                "a_bucket".to_owned(),
                set(&["q", "o", "e", "e=\"z\"", "le", "kind"])
            ),
            ("slo:b".to_owned(), set(&["le", "kind"]))
        ]
    );
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the path comes from xtask, not from a configuration struct"
)]
fn the_alert_rules_are_valid_and_pass_their_tests() {
    let promtool = std::env::var("SOUK_TEST_PROMTOOL").expect("SOUK_TEST_PROMTOOL: use `cargo xtask test`");
    for (check, folder) in [
        (["check", "rules"], "prometheus/rules"),
        (["test", "rules"], "prometheus/tests"),
    ] {
        let output = Command::new(&promtool)
            .args(check)
            .args(files(folder, ".yml"))
            .output()
            .expect("promtool runs");
        let text = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
    }
    let config = deploy().join("prometheus/prometheus.yml");
    let output = Command::new(&promtool)
        .args(["check", "config"])
        .arg(config)
        .output()
        .expect("promtool runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_alert_has_a_test_and_a_runbook() {
    let tests: String = files("prometheus/tests", ".yml")
        .iter()
        .map(|path| fs::read_to_string(path).expect("tests"))
        .collect();
    for path in files("prometheus/rules", ".yml") {
        let rules: Value = serde_saphyr::from_str(&fs::read_to_string(path).expect("rules")).expect("YAML");
        let (mut alerts, mut runbooks) = (vec![], vec![]);
        values_of(&rules, "alert", &mut alerts);
        values_of(&rules, "runbook", &mut runbooks);
        assert_eq!(alerts.len(), runbooks.len(), "an alert has no runbook");
        for alert in alerts {
            assert!(
                tests.contains(&format!("alertname: {alert}")),
                "{alert} has no test"
            );
        }
        for runbook in runbooks {
            assert!(deploy().join("..").join(runbook).exists(), "{runbook} is missing");
        }
    }
}

#[test]
fn there_is_an_alert_for_every_scraped_process_that_is_absent() {
    let read = |path: &str| fs::read_to_string(deploy().join(path)).expect(path);
    let (config, rules) = (
        read("prometheus/prometheus.yml"),
        read("prometheus/rules/system.yml"),
    );
    let names = config
        .split_once("names: [")
        .and_then(|(_, rest)| rest.split_once(']'));
    let names: Vec<_> = names.expect("names in DNS").0.split(", ").collect();
    assert!(names.contains(&"gateway"), "{names:?}");
    for name in names {
        assert!(
            rules.contains(&format!("absent(up{{service=\"{name}\"}})")),
            "{name}"
        );
    }
}
