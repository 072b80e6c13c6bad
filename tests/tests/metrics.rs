//! No panel without a series, and no alert that can never fire: what dashboards and rules ask for is what the running
//! system exposes. The rules' own tests run here, too.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use e2e::{Client, Stack};
use serde_json::Value;

/// The metrics, each with its labels: their names, and each `name="value"`.
type Series = BTreeMap<String, BTreeSet<String>>;

/// What the broker answers at /metrics/detailed, and Prometheus adds by itself.
const OF_OTHERS: [(&str, &[&str]); 5] = [
    ("rabbitmq_detailed_queue_messages_ready", &["vhost", "queue"]),
    ("rabbitmq_detailed_queue_messages_unacked", &["vhost", "queue"]),
    ("rabbitmq_detailed_queue_consumers", &["vhost", "queue"]),
    ("up", &[]),
    (
        "ALERTS",
        &["alertname", "alertstate", "alertstate=\"firing\"", "severity"],
    ),
];
/// Labels that the scrape adds to every series.
const OF_TARGETS: [&str; 3] = ["service", "job", "instance"];

/// What is there only once something has failed.
const OF_FAILURES: [&str; 2] = ["outcome=\"error\"", "http_response_status_code=\"\""];

/// Words of `PromQL` that are no metrics.
const WORDS: [&str; 15] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "and",
    "or",
    "unless",
    "offset",
    "bool",
    "inf",
    "nan",
    "start",
    "end",
];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// The files of a folder with that ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(deploy().join(folder)).expect(folder);
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    assert!(!paths.is_empty(), "{folder} has no {ending}");
    paths
}

/// Every value of that key, however deep.
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

/// What an expression asks of which metric: names, with the labels that it matches or groups by, and the
/// values that it matches as they stand. Matchers hold no brace.
fn asked(expression: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut metrics: Vec<(String, BTreeSet<String>)> = vec![];
    let mut groups = BTreeSet::new();
    let mut rest = expression;
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            rest = rest[1..].split_once(first).expect("a closed string").1;
        } else if first == '[' {
            rest = rest.split_once(']').expect("a closed range").1;
        } else if first == '{' {
            let (matchers, after) = rest[1..].split_once('}').expect("closed matchers");
            let labels = matchers.split(',').flat_map(|one| {
                let name = one.split(['=', '!']).next().unwrap_or_default();
                let valued = one.trim().starts_with(&format!("{}=\"", name.trim()));
                [Some(name), valued.then_some(one)].into_iter().flatten()
            });
            let labels = labels
                .map(|label| label.trim().to_owned())
                .filter(|label| !label.is_empty());
            metrics
                .last_mut()
                .expect("a metric before its matchers")
                .1
                .extend(labels);
            rest = after;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let (word, after) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
            rest = after.trim_start();
            if ["by", "on", "ignoring", "without"].contains(&word) {
                let (list, after) = rest[1..].split_once(')').expect("a closed list");
                groups.extend(list.split(',').map(|label| label.trim().to_owned()));
                rest = after;
            } else if !["(", "by ", "without "].iter().any(|next| rest.starts_with(next))
                && !WORDS.contains(&word)
            {
                metrics.push((word.to_owned(), BTreeSet::new()));
            }
        } else if first.is_ascii_digit() {
            // 5, 0.95, 1e3, 5m.
            rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.');
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    for (_, labels) in &mut metrics {
        labels.extend(groups.iter().cloned());
    }
    metrics
}

/// The series of one exposition, with the labels that they have.
fn exposed(text: &str, series: &mut Series) {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = line.split_once(['{', ' ']).unwrap_or((line, ""));
        let labels = labels.rsplit_once('}').map_or("", |(labels, _)| labels);
        // A value may hold a comma, but no `,name="` of its own.
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
        let answer = reqwest::get(format!("{url}/metrics"))
            .await
            .expect("an admin port answers");
        exposed(&answer.text().await.expect("text"), &mut series);
    }
    for (name, labels) in OF_OTHERS {
        series.insert(
            name.to_owned(),
            labels.iter().map(|&label| label.to_owned()).collect(),
        );
    }
    series
}

/// Every expression of dashboards and rules, and the names that rules record.
fn expressions() -> (Vec<(String, String)>, BTreeSet<String>) {
    let (mut all, mut recorded) = (vec![], BTreeSet::new());
    for path in files("grafana/dashboards", ".json") {
        let text = fs::read_to_string(&path).expect("a dashboard");
        let dashboard: Value = serde_json::from_str(&text).expect("JSON");
        let mut found = vec![];
        values_of(&dashboard, "expr", &mut found);
        assert!(!found.is_empty(), "{} asks nothing", path.display());
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
async fn every_panel_and_alert_asks_for_what_the_system_exposes() {
    let stack = Stack::running();
    let gateway = &stack.status.gateway;
    let (admin, shopper) = tokio::join!(Client::admin(gateway), Client::shopper(gateway));
    // Some series come with the first use.
    let sku = admin.product(5).await;
    shopper.settled(&shopper.order(&sku, 1, "pm_card_ok").await).await;
    let (all, recorded) = expressions();
    let mut missing = BTreeSet::new();
    // Gauges of what the database says are there some seconds after the start.
    for _ in 0..20 {
        let series = scrape(&stack).await;
        missing.clear();
        for (place, expression) in &all {
            for (metric, labels) in asked(expression) {
                if recorded.contains(&metric) {
                    continue;
                }
                let Some(known) = series.get(&metric) else {
                    missing.insert(format!("{place}: {metric} in {expression}"));
                    continue;
                };
                for label in labels.iter().filter(|label| !known.contains(*label)) {
                    let name = label.split('=').next().unwrap_or_default();
                    if !OF_TARGETS.contains(&name) && !OF_FAILURES.contains(&label.as_str()) {
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
    panic!("nobody exposes\n{missing:#?}");
}

#[test]
fn the_reader_of_promql_sees_names_and_labels() {
    let expression = r#"histogram_quantile(0.9, sum by (le, kind) (rate(a_bucket{q=~".*x",o!="y",e="z"}[5m]))) or slo:b > 2 * 1e3"#;
    let set = |labels: &[&str]| {
        labels
            .iter()
            .map(|&label| label.to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        asked(expression),
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
    reason = "the program comes from xtask, not from a configuration"
)]
fn the_rules_are_good_and_pass_their_own_tests() {
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
        assert_eq!(alerts.len(), runbooks.len(), "each alert names a runbook");
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
fn every_process_that_is_scraped_is_missed_when_it_is_gone() {
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
