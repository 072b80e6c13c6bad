//! The schema of a joined answer, from those of its parts, so that a client's generator sees what it will get.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::aggregate::{Part, Plan, Source};

/// A service's operation, or a bare one, with what the gateway joins to its answer. `services` is the document so far.
pub(super) fn joined(plan: &Plan, mut operation: Value, services: &Value) -> Value {
    let parts = plan
        .parts
        .iter()
        .map(|(name, part)| format!("`{name}` is {}", asked(part)));
    operation["description"] = format!(
        "Joined by the gateway: {}. What cannot be had is null and named in `degraded`.",
        parts.collect::<Vec<_>>().join("; ")
    )
    .into();
    let schema = &mut operation["responses"]["200"]["content"]["application/json"]["schema"];
    let added = added(plan, services);
    *schema = if schema.is_null() {
        added
    } else {
        json!({"allOf": [schema.take(), added]})
    };
    operation
}

fn asked(part: &Part) -> String {
    match &part.source {
        Source::Http(_, template) => format!("`GET {}`", template.text()),
        Source::Grpc(call) => format!("`{}`", call.name()),
    }
}

/// What is in the answer beside the merged part's own fields.
fn added(plan: &Plan, services: &Value) -> Value {
    let joined: BTreeSet<&str> = plan.join.iter().map(|join| join.part.value.as_str()).collect();
    let mut fields = Map::new();
    for (name, part) in &plan.parts {
        if plan.merge.as_ref() != Some(name) && !joined.contains(name.as_str()) {
            let schema = schema(part, services);
            let schema = if part.required { schema } else { or_null(&schema) };
            fields.insert(name.clone(), schema);
        }
    }
    for join in &plan.join {
        let other = walk(schema(&plan.parts[&join.part.value], services), "/0", services);
        line_field(&mut fields, &join.into, &join.r#as, or_null(&other));
    }
    if let Some(total) = &plan.total {
        let money = json!({
            "type": "object",
            "properties": {"amount": {"type": "integer"}, "currency": {"type": "string"}},
        });
        line_field(&mut fields, &total.lines, "line_total", or_null(&money));
        fields.insert("total".to_owned(), or_null(&money));
    }
    fields.insert(
        "degraded".to_owned(),
        json!({"type": "array", "items": {"type": "string"}}),
    );
    json!({"type": "object", "properties": fields, "required": ["degraded"]})
}

fn line_field(fields: &mut Map<String, Value>, list: &str, name: &str, schema: Value) {
    let empty = json!({"type": "array", "items": {"type": "object", "properties": {}}});
    let list = fields.entry(list.trim_start_matches('/')).or_insert(empty);
    list["items"]["properties"][name] = schema;
}

fn or_null(schema: &Value) -> Value {
    json!({"oneOf": [{"type": "null"}, schema]})
}

fn schema(part: &Part, services: &Value) -> Value {
    let whole = match &part.source {
        Source::Grpc(call) => call.schema(),
        Source::Http(_, template) => {
            let path = template.text().split('?').next().unwrap_or_default();
            let answer = &services["paths"][path]["get"]["responses"]["200"];
            answer["content"]["application/json"]["schema"].clone()
        }
    };
    walk(whole, part.pick.as_deref().unwrap_or_default(), services)
}

/// The schema at a JSON pointer into what `schema` describes; any object where that is not described.
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
