//! Checks that every service has the same skeleton, so that everyone who knows one service finds their way in all of them.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result};

/// The files of every service.
const FILES: [&str; 9] = [
    "src/main.rs",
    "src/lib.rs",
    "src/config.rs",
    "src/app.rs",
    "src/error.rs",
    "src/openapi.rs",
    "tests/it/main.rs",
    "tests/it/openapi.rs",
    "tests/it/support.rs",
];
/// Lines that a file must contain.
const LINES: [(&str, &str); 5] = [
    ("src/config.rs", "pub struct Config {"),
    ("src/app.rs", "pub struct App {"),
    ("src/app.rs", "pub fn router(app: App) -> Router {"),
    (
        "src/app.rs",
        "pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {",
    ),
    ("src/openapi.rs", "pub struct Document;"),
];
/// `main.rs` has fewer lines than this: it reads arguments and settings, and the rest is wired in `app.rs`.
const MAIN_LINES: usize = 60;

/// Returns what is wrong with the services in this folder.
pub(crate) fn violations(services: &Path) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for name in names(services)? {
        let folder = services.join(&name);
        let found = check(&names(&folder.join("tests"))?, |file| {
            fs::read_to_string(folder.join(file)).ok()
        });
        violations.extend(
            found
                .into_iter()
                .map(|violation| format!("services/{name}/{violation}")),
        );
    }
    Ok(violations)
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<BTreeSet<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// Checks one service. `tests` are the names in its folder of tests, and `read` returns the text of a file that exists.
fn check(tests: &BTreeSet<String>, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let missing = FILES.iter().filter(|file| read(file).is_none());
    let mut violations: Vec<String> = missing.map(|file| format!("{file} is missing")).collect();
    for (file, line) in LINES {
        if read(file).is_some_and(|text| text.lines().all(|found| found != line)) {
            violations.push(format!("{file} has no `{line}`"));
        }
    }
    let lines = read("src/main.rs").map_or(0, |text| text.lines().count());
    if lines >= MAIN_LINES {
        violations.push(format!(
            "src/main.rs has {lines} lines, but must have fewer than {MAIN_LINES}; move the wiring to src/app.rs"
        ));
    }
    let elsewhere = tests.iter().filter(|name| *name != "it");
    violations.extend(elsewhere.map(|name| format!("tests/{name} must be part of tests/it")));
    violations
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A service with the skeleton.
    fn service() -> BTreeMap<&'static str, String> {
        let mut files: BTreeMap<_, _> = FILES.into_iter().map(|file| (file, String::new())).collect();
        for (file, line) in LINES {
            files.entry(file).or_default().extend([line, "\n}\n"]);
        }
        files
    }

    fn check(files: &BTreeMap<&str, String>, tests: &[&str]) -> Vec<String> {
        let tests = tests.iter().map(ToString::to_string).collect();
        super::check(&tests, |file| files.get(file).cloned())
    }

    #[test]
    fn a_service_with_the_skeleton_is_accepted() {
        assert_eq!(check(&service(), &["it"]), Vec::<String>::new());
    }

    #[test]
    fn each_deviation_from_the_skeleton_is_named() {
        let mut files = service();
        files.remove("src/error.rs");
        files.insert("src/config.rs", "pub struct Settings {\n}\n".to_owned());
        files.insert("src/main.rs", "\n".repeat(MAIN_LINES));
        assert_eq!(
            check(&files, &["http", "it"]),
            [
                "src/error.rs is missing",
                "src/config.rs has no `pub struct Config {`",
                "src/main.rs has 60 lines, but must have fewer than 60; move the wiring to src/app.rs",
                "tests/http must be part of tests/it",
            ]
        );
    }

    #[test]
    fn the_services_have_the_skeleton() {
        let services = crate::cargo::workspace().join("services");
        assert_eq!(violations(&services).unwrap(), Vec::<String>::new());
    }
}
