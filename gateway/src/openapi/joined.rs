//! Builds the description and schema of a joined response from those of its parts, so that generated clients know its
//! type.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{
    actions::grpc::reply_schema,
    config::{Aggregate, Part},
};

/// Completes the operation of a joined response: the service's own operation, or an empty one, with the fields that the
/// gateway adds. `services` is the document that is merged from the services.
pub(super) fn joined(aggregate: &Aggregate, mut operation: Value, services: &Value) -> Value {
    let parts = aggregate
        .parts
        .iter()
        .map(|(name, part)| format!("`{name}` from {}", source(part)));
    let joined_from = format!(
        "Joined by the gateway from several services: {}. A part that is not available is null and named in `degraded`.",
        parts.collect::<Vec<_>>().join("; ")
    );
    operation["description"] = match operation["description"].as_str() {
        Some(own) => format!("{own}\n\n{joined_from}"),
        None => joined_from,
    }
    .into();
    let schema = &mut operation["responses"]["200"]["content"]["application/json"]["schema"];
    let added = added(aggregate, services);
    *schema = if schema.is_null() {
        added
    } else {
        json!({"allOf": [schema.take(), added]})
    };
    operation
}

/// Where a part comes from, as Markdown.
fn source(part: &Part) -> String {
    match (&part.path, &part.grpc) {
        (Some(path), _) => format!("`GET {path}`"),
        (None, Some(grpc)) => format!("`{}`", grpc.method.value),
        (None, None) => String::new(),
    }
}

/// The schema of the fields that the gateway adds to those of the merged part.
fn added(aggregate: &Aggregate, services: &Value) -> Value {
    let joined: BTreeSet<&str> = aggregate
        .join
        .iter()
        .map(|join| join.part.value.as_str())
        .collect();
    let mut fields = Map::new();
    for (name, part) in &aggregate.parts {
        if aggregate.merge.as_ref().map(|merge| &merge.value) != Some(name) && !joined.contains(name.as_str())
        {
            let schema = schema(part, services);
            let schema = if part.required { schema } else { nullable(&schema) };
            fields.insert(name.clone(), schema);
        }
    }
    for join in &aggregate.join {
        let other = walk(
            schema(&aggregate.parts[&join.part.value], services),
            "/0",
            services,
        );
        line_field(&mut fields, &join.into, &join.r#as, nullable(&other));
    }
    if let Some(total) = &aggregate.total {
        let money = json!({
            "type": "object",
            "properties": {"amount": {"type": "integer"}, "currency": {"type": "string"}},
        });
        line_field(&mut fields, &total.lines, "line_total", nullable(&money));
        fields.insert("total".to_owned(), nullable(&money));
    }
    fields.insert(
        "degraded".to_owned(),
        json!({
            "type": "array",
            "items": {"type": "string"},
            "description": "Names of the parts that were not available and are therefore null",
        }),
    );
    json!({"type": "object", "properties": fields, "required": ["degraded"]})
}

/// Adds a field to the schema of the elements of a list.
fn line_field(fields: &mut Map<String, Value>, list: &str, name: &str, schema: Value) {
    let empty = json!({"type": "array", "items": {"type": "object", "properties": {}}});
    let list = fields.entry(list.trim_start_matches('/')).or_insert(empty);
    list["items"]["properties"][name] = schema;
}

fn nullable(schema: &Value) -> Value {
    json!({"oneOf": [{"type": "null"}, schema]})
}

/// The schema of a part's value.
fn schema(part: &Part, services: &Value) -> Value {
    let whole = match (&part.path, &part.grpc) {
        (None, grpc) => grpc
            .as_ref()
            .and_then(|grpc| reply_schema(grpc).ok())
            .unwrap_or_default(),
        (Some(path), _) => {
            let path = path.split('?').next().unwrap_or_default();
            let answer = &services["paths"][path]["get"]["responses"]["200"];
            answer["content"]["application/json"]["schema"].clone()
        }
    };
    walk(whole, part.pick.as_deref().unwrap_or_default(), services)
}

/// The schema of the value at a JSON pointer, within values that match `schema`. Any object if that is not described.
fn walk(mut schema: Value, pointer: &str, services: &Value) -> Value {
    for step in pointer.split('/').skip(1) {
        while let Some(reference) = schema["$ref"].as_str() {
            let target = services.pointer(reference.trim_start_matches('#'));
            schema = target.cloned().unwrap_or_default();
        }
        schema = if schema["type"] == "array" {
            schema["items"].take()
        } else {
            schema["properties"][step].take()
        };
    }
    if schema.is_null() {
        json!({"type": "object"})
    } else {
        schema
    }
}
