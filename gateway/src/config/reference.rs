//! Writes the reference of all options as Markdown, from the JSON Schema and so from the documentation of the types.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::Config;

impl Config {
    /// The reference of all options: a section for each type of the file, in the order in which the file refers to them.
    #[must_use]
    pub fn reference() -> String {
        let schema = Value::from(schemars::schema_for!(Self));
        let mut text = String::new();
        section(&mut text, "The file", &schema);
        let mut sections = vec![];
        collect(&schema, &schema, &mut sections);
        for name in &sections {
            section(&mut text, name, &schema["$defs"][name]);
        }
        text.trim_end().to_owned()
    }
}

/// Types that are described where they are used.
const UNITS: [(&str, &str); 3] = [
    ("Span", "a time, such as `250ms`, `10s`, `5m` or `1h`"),
    ("Bytes", "a size, such as `512B`, `64KiB` or `1MiB`"),
    ("Share", "a share, from `1%` to `99%`"),
];

/// Adds the names of all types that `part` refers to, each once.
fn collect(part: &Value, schema: &Value, found: &mut Vec<String>) {
    match part {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(name);
            if let Some(name) = name.filter(|name| !is_unit(name) && !found.iter().any(|one| one == name)) {
                found.push(name.to_owned());
                collect(&schema["$defs"][name], schema, found);
            }
            for (key, field) in fields {
                if key != "$defs" {
                    collect(field, schema, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, schema, found)),
        _ => {}
    }
}

/// The name of the type that a reference leads to.
fn name(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix("#/$defs/")
}

fn is_unit(name: &str) -> bool {
    UNITS.iter().any(|(unit, _)| *unit == name)
}

/// Writes the section of a type.
fn section(text: &mut String, title: &str, part: &Value) {
    let _ = writeln!(text, "### {title}\n");
    let description = line(part);
    if !description.is_empty() {
        let _ = writeln!(text, "{description}\n");
    }
    if let Some(fields) = part["properties"].as_object() {
        table(text, fields, part);
    } else if let Some(variants) = part["oneOf"].as_array().or_else(|| part["anyOf"].as_array()) {
        let _ = writeln!(text, "| one of | meaning |\n| --- | --- |");
        for variant in variants {
            let _ = writeln!(text, "| {} | {} |", value(variant), line(variant));
        }
    } else {
        let _ = writeln!(text, "{}", kind(part));
    }
    text.push('\n');
}

/// Writes the table of the fields of a type.
fn table(text: &mut String, fields: &Map<String, Value>, part: &Value) {
    let required: Vec<&str> = part["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let _ = writeln!(text, "| option | value | meaning |\n| --- | --- | --- |");
    for (name, field) in fields {
        let is_required = if required.contains(&name.as_str()) {
            ", required"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "| `{name}` | {}{is_required} | {} |",
            kind(field),
            line(field)
        );
    }
}

/// A variant of an enumeration as it is written in the file.
fn value(variant: &Value) -> String {
    if let Some(text) = variant["const"].as_str() {
        return format!("`{text}`");
    }
    match variant["properties"]
        .as_object()
        .and_then(|fields| fields.iter().next())
    {
        Some((name, field)) => format!("`{name}:` {}", kind(field)),
        None => kind(variant),
    }
}

/// The type of a value, in words.
fn kind(part: &Value) -> String {
    if let Some(name) = name(&part["$ref"]) {
        let unit = UNITS.iter().find(|(unit, _)| *unit == name);
        let link = || format!("[{name}](#{})", name.to_lowercase());
        return unit.map_or_else(link, |(_, words)| (*words).to_owned());
    }
    if let Some(variants) = part["anyOf"].as_array().or_else(|| part["oneOf"].as_array()) {
        let known = variants.iter().filter(|variant| variant["type"] != "null");
        return known.map(value).collect::<Vec<_>>().join(" or ");
    }
    if let Some(values) = part["enum"].as_array() {
        let texts = values
            .iter()
            .map(|value| format!("`{}`", value.as_str().unwrap_or_default()));
        return texts.collect::<Vec<_>>().join(" or ");
    }
    let of = |part: &Value| {
        if part.is_object() {
            kind(part)
        } else {
            "anything".to_owned()
        }
    };
    let types = match &part["type"] {
        Value::Array(types) => types
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null"),
        one => one.as_str(),
    };
    match types {
        Some("array") => format!("a list of: {}", of(&part["items"])),
        Some("object") => format!("names, each with: {}", of(&part["additionalProperties"])),
        Some("integer" | "number") => "a number".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("string") => "a text".to_owned(),
        _ => "anything".to_owned(),
    }
}

/// The description of a type or field, in one line.
fn line(part: &Value) -> String {
    let text = part["description"].as_str().unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}
