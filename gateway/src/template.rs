//! Texts with `{parameters}` of the route and `{part/pointer/*}` values of answers that are already there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a template may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The route's parameters, as they stand in the path (percent-encoded).
    pub params: &'a [(String, String)],
    /// The answers so far.
    pub parts: &'a BTreeMap<String, Value>,
}

/// A parsed path-and-query template.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Variable(String),
}

impl Template {
    /// Parses a text; the error says what is wrong with it.
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
        Ok(Self {
            text: text.to_owned(),
            pieces,
        })
    }

    /// As it stands in the file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parts it refers to.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(name) => name.split_once('/').map(|(part, _)| part),
            Piece::Text(_) => None,
        })
    }

    /// The text with its values, or `None` when one of them is not there: then there is nothing to ask for.
    #[must_use]
    pub fn render(&self, scope: Scope<'_>) -> Option<String> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(name) => match name.split_once('/') {
                    None => {
                        // Encoded anew: what is harmless in a path could end a query's value.
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

/// The same for a JSON value: a string that is one variable becomes its value, a list where it has a `*`.
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

/// The parts that a JSON template refers to.
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

/// The different values at `a/*/b`, where `*` is every element of a list.
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
    let mut different: Vec<Value> = Vec::new();
    for value in found {
        if !value.is_null() && !different.contains(value) {
            different.push(value.clone());
        }
    }
    different
}

fn encode(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned);
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        }
    }
    out
}

/// Percent-decodes; `None` where the result is no text.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            out.extend(hex::decode(digits).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
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
        assert_eq!(render("/p?skus={order/empty/*/sku}"), None, "nothing to ask for");
        assert_eq!(render("/p?skus={other/x}"), None);
        let request = json!({"skus": "{order/lines/*/sku}", "one": ["{id}"]});
        assert_eq!(
            render_json(&request, scope).unwrap(),
            json!({"skus": ["A", "B&c"], "one": ["a b"]})
        );
        assert!(Template::parse("/{id").is_err());
    }
}
