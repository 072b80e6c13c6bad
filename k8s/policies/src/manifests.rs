//! Rendered manifests, and the pods that they describe.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::operators;

/// Labels of a resource or a pod.
pub(crate) type Labels = BTreeMap<String, String>;

/// The rendered manifests of one overlay.
#[derive(Debug, Clone)]
pub struct Manifests {
    resources: Vec<Value>,
    pods: Vec<Pod>,
}

/// The pods of one workload. Replicas are alike, so they count once.
#[derive(Debug, Clone)]
pub struct Pod {
    /// Kind and name of the workload, such as `Deployment users`.
    pub owner: String,
    /// Name of the workload.
    pub name: String,
    /// Labels of each pod.
    pub labels: BTreeMap<String, String>,
    /// Annotations of each pod.
    pub annotations: BTreeMap<String, String>,
    /// Ports that the containers declare.
    pub ports: Vec<Port>,
    /// The pod's specification. `None` for pods that an operator creates.
    pub spec: Option<Value>,
    /// Whether the pod ends by itself.
    pub is_job: bool,
}

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The name of the port, if it has one.
    pub name: Option<String>,
    /// The number of the port.
    pub number: u64,
}

impl Manifests {
    /// Reads a stream of YAML documents.
    pub fn parse(yaml: &str) -> Result<Self> {
        let resources: Vec<Value> =
            serde_saphyr::from_multiple(yaml).map_err(|error| anyhow::anyhow!("{error}"))?;
        for resource in &resources {
            text(resource, "/kind").context("a document has no kind")?;
            text(resource, "/metadata/name").context("a document has no name")?;
        }
        let mut pods: Vec<Pod> = resources.iter().filter_map(pod).collect();
        pods.extend(resources.iter().filter_map(operators::pod));
        Ok(Self { resources, pods })
    }

    /// All resources of the overlay, as parsed YAML.
    #[must_use]
    pub fn resources(&self) -> &[Value] {
        &self.resources
    }

    /// The resources of a kind, whatever their API group is.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.resources
            .iter()
            .filter(move |resource| text(resource, "/kind") == Some(kind))
    }

    /// Whether a resource exists.
    #[must_use]
    pub fn has(&self, kind: &str, name: &str) -> bool {
        self.of_kind(kind).any(|resource| self::name(resource) == name)
    }

    /// All pods, including those that operators create.
    #[must_use]
    pub fn pods(&self) -> &[Pod] {
        &self.pods
    }

    /// The pods that these manifests specify in full.
    pub(crate) fn specified(&self) -> impl Iterator<Item = (&Pod, &Value)> {
        self.pods.iter().filter_map(|pod| Some((pod, pod.spec.as_ref()?)))
    }
}

/// The pod of a workload.
fn pod(workload: &Value) -> Option<Pod> {
    let kind = text(workload, "/kind")?;
    let template = match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => workload.pointer("/spec/template")?,
        "CronJob" => workload.pointer("/spec/jobTemplate/spec/template")?,
        _ => return None,
    };
    let mut spec = template.get("spec")?.clone();
    // Each claim becomes a volume of the same name.
    let claims = list(workload, "/spec/volumeClaimTemplates").map(name);
    let claims: Vec<Value> = claims.map(|name| json!({"name": name})).collect();
    if !claims.is_empty() {
        match spec.get_mut("volumes").and_then(Value::as_array_mut) {
            Some(volumes) => volumes.extend(claims),
            None => spec["volumes"] = claims.into(),
        }
    }
    let ports = containers(&spec).flat_map(|container| list(container, "/ports"));
    let ports = ports
        .filter_map(|port| {
            Some(Port {
                name: text(port, "/name").map(str::to_owned),
                number: port.get("containerPort")?.as_u64()?,
            })
        })
        .collect();
    Some(Pod {
        owner: title(workload),
        name: name(workload).to_owned(),
        labels: labels(template, "/metadata/labels"),
        annotations: labels(template, "/metadata/annotations"),
        ports,
        spec: Some(spec),
        is_job: matches!(kind, "Job" | "CronJob"),
    })
}

/// Containers and init containers of a pod's specification.
pub(crate) fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    list(spec, "/initContainers").chain(list(spec, "/containers"))
}

/// The text at a JSON pointer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// The items of the list at a JSON pointer; none if there is no list.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The entries of the object at a JSON pointer whose values are texts.
pub(crate) fn labels(value: &Value, pointer: &str) -> Labels {
    let entries = value
        .pointer(pointer)
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    entries
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// The name of a resource.
pub(crate) fn name(resource: &Value) -> &str {
    text(resource, "/metadata/name").unwrap_or_default()
}

/// Kind and name of a resource.
pub(crate) fn title(resource: &Value) -> String {
    format!(
        "{} {}",
        text(resource, "/kind").unwrap_or_default(),
        name(resource)
    )
}

/// The API group of a resource.
pub(crate) fn group(resource: &Value) -> &str {
    let version = text(resource, "/apiVersion").unwrap_or_default();
    version.split_once('/').map_or("", |(group, _)| group)
}
