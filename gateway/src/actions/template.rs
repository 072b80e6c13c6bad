//! Templates for requests to upstreams. `{name}` stands for a parameter of the route, and `{part/pointer/*}` for values
//! from the response of an earlier part.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

/// Everything except the unreserved characters of RFC 3986, so that a value cannot end a path segment or a parameter.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The values that a template may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Parameters of the route by name, still percent-encoded as in the path.
    pub params: &'a [(String, String)],
    /// Values of the earlier parts, by name.
    pub parts: &'a BTreeMap<String, Value>,
}

/// A parsed template of a path and query.
#[derive(Debug, Clone)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Variable(String),
}

impl Template {
    /// Parses a template. The error describes a brace that is not closed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let end = rest[start..]
                .find('}')
                .ok_or_else(|| format!("`{text}`: `{{` is not closed"))?;
            pieces.push(Piece::Text(rest[..start].to_owned()));
            pieces.push(Piece::Variable(rest[start + 1..start + end].to_owned()));
            rest = &rest[start + end + 1..];
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// Names of the parts that the template refers to; may repeat.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Variable(name) => name.split_once('/').map(|(part, _)| part),
            Piece::Text(_) => None,
        })
    }

    /// Replaces the variables by their percent-encoded values. `None` if a value is missing, in which case there is
    /// nothing to request.
    #[must_use]
    pub fn render(&self, scope: Scope<'_>) -> Option<String> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(name) => match name.split_once('/') {
                    None => {
                        // Decode and encode again: a character that is safe in a path could end a value in a query.
                        let value = decode(param(name, scope)?)?;
                        out.push_str(&encode(&Value::String(value)));
                    }
                    Some((part, pointer)) => {
                        let found = values(scope.parts.get(part)?, pointer);
                        if found.is_empty() {
                            return None;
                        }
                        let found: Vec<_> = found.iter().map(encode).collect();
                        out.push_str(&found.join(","));
                    }
                },
            }
        }
        Some(out)
    }
}

/// Replaces the variables in a JSON template. A string that consists of one variable becomes its value, or a list of
/// values if the variable contains `*`. `None` if a value is missing.
#[must_use]
pub fn render_json(template: &Value, scope: Scope<'_>) -> Option<Value> {
    Some(match template {
        Value::String(text) => match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => match name.split_once('/') {
                None => Value::String(decode(param(name, scope)?)?),
                Some((part, pointer)) => {
                    let mut found = values(scope.parts.get(part)?, pointer);
                    if found.is_empty() {
                        return None;
                    }
                    if pointer.contains('*') {
                        Value::Array(found)
                    } else {
                        found.remove(0)
                    }
                }
            },
            None => template.clone(),
        },
        Value::Array(items) => {
            let items: Option<_> = items.iter().map(|item| render_json(item, scope)).collect();
            Value::Array(items?)
        }
        Value::Object(fields) => {
            let fields: Option<_> = fields
                .iter()
                .map(|(name, field)| Some((name.clone(), render_json(field, scope)?)))
                .collect();
            Value::Object(fields?)
        }
        other => other.clone(),
    })
}

/// Collects the names of the parts that a JSON template refers to.
pub fn json_parts(template: &Value, found: &mut BTreeSet<String>) {
    match template {
        Value::String(text) => {
            let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
            if let Some((part, _)) = name.and_then(|name| name.split_once('/')) {
                found.insert(part.to_owned());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| json_parts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| json_parts(field, found)),
        _ => {}
    }
}

fn param<'a>(name: &str, scope: Scope<'a>) -> Option<&'a str> {
    scope
        .params
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// The distinct values at a pointer such as `a/*/b`, where `*` stands for every element of a list. Nulls are left out.
fn values(root: &Value, pointer: &str) -> Vec<Value> {
    let mut found = vec![root];
    for step in pointer.split('/') {
        found = found
            .into_iter()
            .flat_map(|value| match (step, value) {
                ("*", Value::Array(items)) => items.iter().collect(),
                (_, Value::Object(fields)) => fields.get(step).into_iter().collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    let mut distinct: Vec<Value> = Vec::new();
    for value in found {
        if !value.is_null() && !distinct.contains(value) {
            distinct.push(value.clone());
        }
    }
    distinct
}

fn encode(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned);
    utf8_percent_encode(&text, RESERVED).to_string()
}

/// Percent-decodes a text. `None` if an escape is invalid or the result is not UTF-8.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    // The crate would keep invalid escapes unchanged.
    let is_escape =
        |rest: &str| matches!(rest.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn renders_parameters_and_values_of_parts() {
        let parts = BTreeMap::from([(
            "order".to_owned(),
            json!({"lines": [{"sku": "A"}, {"sku": "B&c"}, {"sku": "A"}], "empty": []}),
        )]);
        let params = [("id".to_owned(), "a%20b".to_owned())];
        let scope = Scope {
            params: &params,
            parts: &parts,
        };
        let render = |text: &str| Template::parse(text).unwrap().render(scope);
        assert_eq!(
            render("/p?skus={order/lines/*/sku}&o={id}").unwrap(),
            "/p?skus=A,B%26c&o=a%20b"
        );
        assert_eq!(
            render("/p?skus={order/empty/*/sku}"),
            None,
            "there is nothing to request"
        );
        assert_eq!(render("/p?skus={other/x}"), None);
        let request = json!({"skus": "{order/lines/*/sku}", "one": ["{id}"]});
        assert_eq!(
            render_json(&request, scope).unwrap(),
            json!({"skus": ["A", "B&c"], "one": ["a b"]})
        );
        assert!(Template::parse("/{id").is_err());
    }

    #[test]
    fn encodes_all_but_unreserved_characters_and_decodes_only_valid_escapes() {
        assert_eq!(encode(&"a-._~/%\u{e4}".into()), "a-._~%2F%25%C3%A4");
        assert_eq!(decode("a%2f%25%C3%a4+").as_deref(), Some("a/%\u{e4}+"));
        for invalid in ["%", "%2", "%zz", "a%%20", "%+1", "%ff"] {
            assert_eq!(decode(invalid), None, "{invalid}");
        }
    }
}
