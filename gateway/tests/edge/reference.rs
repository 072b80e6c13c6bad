//! The documentation of the options is that of this version, and its examples are valid.

use gateway::{config::Config, snapshot};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/gateway.md");
const MARKER: &str = "<!-- The rest of this page is written by `gateway reference`. -->\n";

/// Compares a file with its expected text, or writes it if the variable `SOUK_UPDATE` is set.
fn compare(file: &str, expected: &str) {
    if std::env::var_os("SOUK_UPDATE").is_some() {
        std::fs::write(file, expected).unwrap();
    }
    let stored = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        stored == expected,
        "{file} is not up to date; run this test with SOUK_UPDATE=1"
    );
}

#[test]
fn the_schema_for_editors_is_up_to_date() {
    let schema = serde_json::to_string_pretty(&Config::schema()).unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.schema.json");
    compare(file, &format!("{schema}\n"));
}

#[test]
fn the_reference_is_up_to_date() {
    let guide = std::fs::read_to_string(GUIDE).unwrap();
    let (written, _) = guide.split_once(MARKER).expect("the marker");
    compare(GUIDE, &format!("{written}{MARKER}\n{}\n", Config::reference()));
}

#[test]
fn the_examples_of_the_guide_are_valid() {
    let guide = std::fs::read_to_string(GUIDE).unwrap();
    let examples: Vec<&str> = guide
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() >= 3, "{}", examples.len());
    for example in examples {
        let config = Config::parse(example, |_| None);
        let config = config.unwrap_or_else(|error| panic!("{error}\n{example}"));
        snapshot::check(&config).unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
}

/// Editors must accept the shipped file, including its variables.
#[test]
fn the_shipped_file_matches_the_schema() {
    let text = include_str!("../../gateway.yaml");
    let file: serde_json::Value = serde_saphyr::from_str(text).unwrap();
    let schema = serde_json::to_value(Config::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&file)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
