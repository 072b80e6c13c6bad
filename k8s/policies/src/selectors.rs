//! Selectors of pods, Services and workloads must select something that exists.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    manifests::{Labels, Manifests, Pod, labels, list, name, text, title},
    operators,
};

/// Whether a label selector (`matchLabels` and `matchExpressions`) selects these labels. An empty one selects all.
pub(crate) fn selects(selector: &Value, of: &Labels) -> bool {
    let equal = labels(selector, "/matchLabels")
        .iter()
        .all(|(key, value)| of.get(key) == Some(value));
    equal
        && list(selector, "/matchExpressions").all(|expression| {
            let own = text(expression, "/key").and_then(|key| of.get(key));
            let among =
                || own.is_some_and(|own| list(expression, "/values").any(|value| value == own.as_str()));
            match text(expression, "/operator") {
                Some("In") => among(),
                Some("NotIn") => !among(),
                Some("Exists") => own.is_some(),
                Some("DoesNotExist") => own.is_none(),
                _ => false,
            }
        })
}

/// Reports selectors that select nothing, and ports that the selected pods or Services do not have.
pub(crate) fn selectors(manifests: &Manifests) -> Vec<String> {
    let mut broken = Vec::new();
    for resource in manifests.resources() {
        let found = match text(resource, "/kind").unwrap_or_default() {
            "Deployment" | "StatefulSet" => own_pods(resource),
            "Service" => service(manifests, resource),
            "PodDisruptionBudget" => pods(manifests, resource.pointer("/spec/selector")),
            "NetworkPolicy" => network_policy(manifests, resource),
            "ServiceMonitor" => service_monitor(manifests, resource),
            "Server" => server(manifests, resource),
            "Kafka" => list(resource, "/spec/kafka/listeners")
                .flat_map(|listener| list(listener, "/networkPolicyPeers"))
                .flat_map(|peer| peer_problems(manifests, peer))
                .collect(),
            _ => continue,
        };
        broken.extend(
            found
                .into_iter()
                .map(|problem| format!("{}: {problem}", title(resource))),
        );
    }
    broken
}

fn own_pods(workload: &Value) -> Vec<String> {
    let own = labels(workload, "/spec/template/metadata/labels");
    let selector = workload.pointer("/spec/selector").unwrap_or(&Value::Null);
    let mut broken = Vec::new();
    if selector.is_null() || !selects(selector, &own) {
        broken.push("its selector does not select its own pods".to_owned());
    }
    for constraint in list(workload, "/spec/template/spec/topologySpreadConstraints") {
        let keys = list(constraint, "/matchLabelKeys").filter_map(Value::as_str);
        let selector = constraint.pointer("/labelSelector").unwrap_or(&Value::Null);
        // Controllers add this label to the pods of a Deployment.
        let mut known = keys.filter(|key| *key != "pod-template-hash");
        if !selects(selector, &own) || known.any(|key| !own.contains_key(key)) {
            broken.push("a topology spread constraint does not select its own pods".to_owned());
        }
    }
    broken
}

/// A selector of pods that must select at least one, with values that all exist.
fn pods(manifests: &Manifests, selector: Option<&Value>) -> Vec<String> {
    let selector = selector.unwrap_or(&Value::Null);
    let all = manifests.pods();
    let mut broken = Vec::new();
    if !all.iter().any(|pod| selects(selector, &pod.labels)) {
        broken.push(format!("no pod has the labels {selector}"));
    }
    for expression in list(selector, "/matchExpressions") {
        let key = text(expression, "/key").unwrap_or_default();
        for value in list(expression, "/values").filter_map(Value::as_str) {
            if !all
                .iter()
                .any(|pod| pod.labels.get(key).is_some_and(|own| own == value))
            {
                broken.push(format!("no pod has the label {key}={value}"));
            }
        }
    }
    broken
}

fn service(manifests: &Manifests, service: &Value) -> Vec<String> {
    let wanted = labels(service, "/spec/selector");
    let selected = |pod: &&Pod| {
        wanted
            .iter()
            .all(|(key, value)| pod.labels.get(key) == Some(value))
    };
    let pods: Vec<&Pod> = manifests.pods().iter().filter(selected).collect();
    if wanted.is_empty() || pods.is_empty() {
        return vec!["it selects no pod".to_owned()];
    }
    let ports = list(service, "/spec/ports").map(|port| port.get("targetPort").unwrap_or(&port["port"]));
    ports
        .filter(|port| !pods.iter().all(|pod| has_port(pod, port)))
        .map(|port| format!("its pods have no port {port}"))
        .collect()
}

fn has_port(pod: &Pod, port: &Value) -> bool {
    pod.ports.iter().any(|own| match port {
        Value::String(name) => own.name.as_ref() == Some(name),
        number => number.as_u64() == Some(own.number),
    })
}

fn network_policy(manifests: &Manifests, policy: &Value) -> Vec<String> {
    let mut broken = pods(manifests, policy.pointer("/spec/podSelector"));
    let ingress = list(policy, "/spec/ingress").flat_map(|rule| list(rule, "/from"));
    let egress = list(policy, "/spec/egress").flat_map(|rule| list(rule, "/to"));
    broken.extend(
        ingress
            .chain(egress)
            .flat_map(|peer| peer_problems(manifests, peer)),
    );
    broken
}

fn peer_problems(manifests: &Manifests, peer: &Value) -> Vec<String> {
    // Pods of other namespaces are not in these manifests.
    if peer.get("namespaceSelector").is_some() || peer.get("ipBlock").is_some() {
        return Vec::new();
    }
    pods(manifests, peer.get("podSelector"))
}

fn service_monitor(manifests: &Manifests, monitor: &Value) -> Vec<String> {
    let selector = monitor.pointer("/spec/selector").unwrap_or(&Value::Null);
    let services: Vec<_> = operators::services(manifests)
        .into_iter()
        .filter(|service| selects(selector, &service.labels))
        .collect();
    if services.is_empty() {
        return vec!["it selects no Service".to_owned()];
    }
    let mut broken = Vec::new();
    for endpoint in list(monitor, "/spec/endpoints") {
        let port = text(endpoint, "/port").unwrap_or_default();
        for service in &services {
            if !service.ports.iter().any(|own| own.name.as_deref() == Some(port)) {
                broken.push(format!("the Service {} has no port named `{port}`", service.name));
            }
        }
    }
    broken
}

/// Linkerd's Server: a port of some pods.
fn server(manifests: &Manifests, server: &Value) -> Vec<String> {
    let selector = server.pointer("/spec/podSelector").unwrap_or(&Value::Null);
    let port = server.pointer("/spec/port").unwrap_or(&Value::Null);
    let mut broken = pods(manifests, Some(selector));
    let selected = manifests
        .pods()
        .iter()
        .filter(|pod| selects(selector, &pod.labels));
    if !selected.into_iter().any(|pod| has_port(pod, port)) {
        broken.push(format!("none of its pods has the port {port}"));
    }
    broken
}

/// Reports autoscalers of workloads that do not exist, have a fixed number of replicas, or have another autoscaler.
pub(crate) fn autoscalers(manifests: &Manifests) -> Vec<String> {
    let mut broken = Vec::new();
    let mut targets: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for kind in ["HorizontalPodAutoscaler", "ScaledObject"] {
        for scaler in manifests.of_kind(kind) {
            let target_kind = text(scaler, "/spec/scaleTargetRef/kind").unwrap_or("Deployment");
            let target = text(scaler, "/spec/scaleTargetRef/name").unwrap_or_default();
            if !manifests.has(target_kind, target) {
                broken.push(format!("{}: there is no {target_kind} {target}", title(scaler)));
            }
            let fixed = manifests
                .of_kind(target_kind)
                .any(|workload| name(workload) == target && workload.pointer("/spec/replicas").is_some());
            if fixed {
                broken.push(format!(
                    "{target_kind} {target}: it has a fixed number of replicas"
                ));
            }
            let target = (target_kind.to_owned(), target.to_owned());
            targets.entry(target).or_default().push(title(scaler));
        }
    }
    for ((kind, target), scalers) in targets {
        if scalers.len() > 1 {
            broken.push(format!("{kind} {target}: scaled by {}", scalers.join(" and ")));
        }
    }
    broken
}
