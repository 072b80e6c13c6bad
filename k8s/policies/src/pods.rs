//! What every container must declare: security, resources, probes, and the version of its image.

use serde_json::{Value, json};

use crate::manifests::{Manifests, containers, list, text, title};

/// Every pod meets the restricted Pod Security Standard, and more: a read-only file system, no token of the Kubernetes API
/// unless a Role gives it rights, and no variables for Services, which Souk's programs would refuse as unknown settings.
pub(crate) fn hardened(manifests: &Manifests) -> Vec<String> {
    let mut broken = Vec::new();
    for (pod, spec) in manifests.specified() {
        let mut require = |holds: bool, what: &str| {
            if !holds {
                broken.push(format!("{}: {what}", pod.owner));
            }
        };
        let at = |pointer: &str| spec.pointer(pointer);
        let has_role = text(spec, "/serviceAccountName").is_some_and(|account| is_bound(manifests, account));
        require(
            at("/automountServiceAccountToken") == Some(&json!(has_role)),
            &format!("automountServiceAccountToken must be {has_role}"),
        );
        let mut sources = list(spec, "/volumes").flat_map(|volume| list(volume, "/projected/sources"));
        require(
            sources.all(|source| source.get("serviceAccountToken").is_none()),
            "tokens must not be mounted as volumes",
        );
        require(
            at("/enableServiceLinks") == Some(&json!(false)),
            "enableServiceLinks must be false",
        );
        for host in ["/hostNetwork", "/hostPID", "/hostIPC"] {
            require(
                at(host).is_none_or(|value| *value == json!(false)),
                &format!("{} must not be used", &host[1..]),
            );
        }
        require(
            list(spec, "/volumes").all(|volume| volume.get("hostPath").is_none()),
            "hostPath volumes must not be used",
        );
        let pod_level = at("/securityContext").unwrap_or(&Value::Null);
        for container in containers(spec) {
            let own = container.pointer("/securityContext").unwrap_or(&Value::Null);
            // A container inherits these settings from its pod.
            let either = |pointer: &str| own.pointer(pointer).or_else(|| pod_level.pointer(pointer));
            let name = text(container, "/name").unwrap_or_default();
            let mut require = |holds: bool, what: &str| require(holds, &format!("container {name}: {what}"));
            require(
                either("/runAsNonRoot") == Some(&json!(true)),
                "runAsNonRoot must be true",
            );
            require(
                either("/runAsUser")
                    .and_then(Value::as_u64)
                    .is_some_and(|user| user > 0),
                "runAsUser must be a user other than root",
            );
            require(
                either("/seccompProfile/type") == Some(&json!("RuntimeDefault")),
                "seccompProfile must be RuntimeDefault",
            );
            require(
                own.pointer("/allowPrivilegeEscalation") == Some(&json!(false)),
                "allowPrivilegeEscalation must be false",
            );
            require(
                own.pointer("/readOnlyRootFilesystem") == Some(&json!(true)),
                "readOnlyRootFilesystem must be true",
            );
            require(
                own.pointer("/privileged")
                    .is_none_or(|value| *value == json!(false)),
                "privileged must not be used",
            );
            require(
                own.pointer("/capabilities/drop") == Some(&json!(["ALL"]))
                    && list(own, "/capabilities/add").next().is_none(),
                "all capabilities must be dropped and none added",
            );
        }
    }
    broken
}

/// Whether an account has rights at the Kubernetes API.
fn is_bound(manifests: &Manifests, account: &str) -> bool {
    manifests
        .of_kind("RoleBinding")
        .flat_map(|binding| list(binding, "/subjects"))
        .any(|subject| text(subject, "/name") == Some(account))
}

/// Every container has requests and limits for processor and memory.
pub(crate) fn resources(manifests: &Manifests) -> Vec<String> {
    let mut broken = Vec::new();
    for (pod, spec) in manifests.specified() {
        for container in containers(spec) {
            for bound in ["requests", "limits"] {
                for resource in ["cpu", "memory"] {
                    if container
                        .pointer(&format!("/resources/{bound}/{resource}"))
                        .is_none()
                    {
                        let container = text(container, "/name").unwrap_or_default();
                        let owner = &pod.owner;
                        broken.push(format!(
                            "{owner}: container {container}: no {bound} for {resource}"
                        ));
                    }
                }
            }
        }
    }
    broken
}

/// Every container that serves has probes for start, life and readiness, on ports that it has.
pub(crate) fn probes(manifests: &Manifests) -> Vec<String> {
    let mut broken = Vec::new();
    for (pod, spec) in manifests.specified().filter(|(pod, _)| !pod.is_job) {
        for container in list(spec, "/containers") {
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                let Some(check) = container.get(probe) else {
                    broken.push(format!("{}: no {probe}", pod.owner));
                    continue;
                };
                let port = ["/httpGet/port", "/tcpSocket/port", "/grpc/port"]
                    .iter()
                    .find_map(|pointer| check.pointer(pointer));
                let declared = |port: &Value| {
                    list(container, "/ports")
                        .any(|own| own.get("name") == Some(port) || own.get("containerPort") == Some(port))
                };
                if port.is_some_and(|port| !declared(port)) {
                    broken.push(format!(
                        "{}: {probe} names a port that the container does not have",
                        pod.owner
                    ));
                }
            }
        }
    }
    broken
}

/// Every image has a version: a tag other than `latest`, or a digest.
pub(crate) fn images(manifests: &Manifests) -> Vec<String> {
    let mut images: Vec<(String, &str)> = Vec::new();
    for (pod, spec) in manifests.specified() {
        let named = containers(spec).map(|container| text(container, "/image").unwrap_or_default());
        images.extend(named.map(|image| (pod.owner.clone(), image)));
    }
    for resource in manifests.resources() {
        let named = ["/spec/image", "/spec/imageName"];
        let named = named.iter().filter_map(|pointer| text(resource, pointer));
        images.extend(named.map(|image| (title(resource), image)));
    }
    images
        .into_iter()
        .filter(|(_, image)| !has_version(image))
        .map(|(owner, image)| format!("{owner}: the image `{image}` has no version"))
        .collect()
}

fn has_version(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    // A colon before the last slash belongs to the registry's port.
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split_once(':')
        .is_some_and(|(name, tag)| !name.is_empty() && !tag.is_empty() && tag != "latest")
}
