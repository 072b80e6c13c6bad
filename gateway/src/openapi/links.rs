//! Adds links to the API document: they say which operation supplies the identifier that another one needs in its path.

use serde_json::{Map, Value, json};

/// Links each operation that creates a resource to the operations on that resource: those whose path continues the path of
/// the first with a parameter, which is a field of its response.
pub(super) fn add(paths: &mut Map<String, Value>, components: &Map<String, Value>) {
    let mut all = vec![];
    for (path, operations) in &*paths {
        for (status, response) in operations["post"]["responses"].as_object().into_iter().flatten() {
            let fields = response
                .pointer("/content/application~1json/schema")
                .map(|schema| fields(schema, components));
            if let (true, Some(fields)) = (status.starts_with('2'), fields) {
                let links = links(path, &fields, paths);
                if !links.is_empty() {
                    all.push((path.clone(), status.clone(), links));
                }
            }
        }
    }
    for (path, status, links) in all {
        paths[&path]["post"]["responses"][&status]["links"] = links.into();
    }
}

/// The names of the fields of an object schema.
fn fields(schema: &Value, components: &Map<String, Value>) -> Vec<String> {
    let name = schema["$ref"]
        .as_str()
        .and_then(|reference| reference.rsplit('/').next());
    let schema = name.map_or(schema, |name| &components["schemas"][name]);
    let names = schema["properties"].as_object().into_iter().flatten();
    names.map(|(name, _)| name.clone()).collect()
}

/// The links from the operation at `parent`, whose response has these fields.
fn links(parent: &str, fields: &[String], paths: &Map<String, Value>) -> Map<String, Value> {
    let mut links = Map::new();
    for (path, operations) in paths {
        let Some((parameter, _)) = path
            .strip_prefix(parent)
            .and_then(|rest| rest.strip_prefix("/{"))
            .and_then(|rest| rest.split_once('}'))
            // Another identifier in the path is not in this response.
            .filter(|(_, rest)| !rest.contains('{'))
        else {
            continue;
        };
        // The response of `POST /v1/orders/{id}/returns` calls the `return_id` of other paths `id`.
        let Some(field) = [parameter, "id"]
            .into_iter()
            .find(|name| fields.iter().any(|field| field == name))
        else {
            continue;
        };
        let mut parameters: Map<String, Value> = parent
            .split('/')
            .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| (name.to_owned(), format!("$request.path.{name}").into()))
            .collect();
        parameters.insert(parameter.to_owned(), format!("$response.body#/{field}").into());
        for operation in operations.as_object().into_iter().flat_map(Map::values) {
            if let Some(id) = operation["operationId"].as_str() {
                links.insert(
                    id.to_owned(),
                    json!({"operationId": id, "parameters": parameters}),
                );
            }
        }
    }
    links
}
