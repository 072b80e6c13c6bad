//! Everything that a manifest names must exist: Secrets and `ConfigMap`s with their keys, service accounts, volumes, and the resources that
//! custom resources refer to.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    manifests::{Manifests, containers, list, name, text, title},
    operators,
};

/// Reports every Secret, `ConfigMap`, key, account and resource that is named but does not exist.
pub(crate) fn references(manifests: &Manifests) -> Vec<String> {
    let mut names = Names {
        manifests,
        owner: String::new(),
        missing: Vec::new(),
    };
    for (pod, spec) in manifests.specified() {
        names.owner.clone_from(&pod.owner);
        names.pod(spec);
    }
    for resource in manifests.resources() {
        names.owner = title(resource);
        names.resource(resource);
    }
    names.missing
}

struct Names<'a> {
    manifests: &'a Manifests,
    owner: String,
    missing: Vec<String>,
}

impl Names<'_> {
    fn require(&mut self, exists: bool, what: &str) {
        if !exists {
            self.missing.push(format!("{}: there is no {what}", self.owner));
        }
    }

    fn key(&mut self, kind: &str, name: Option<&str>, key: Option<&str>) {
        let name = name.unwrap_or_default();
        let Some(keys) = operators::keys(self.manifests, kind, name) else {
            return self.require(false, &format!("{kind} {name}"));
        };
        if let Some(key) = key {
            self.require(keys.contains(key), &format!("key {key} in the {kind} {name}"));
        }
    }

    fn named(&mut self, kind: &str, name: Option<&str>) {
        let name = name.unwrap_or_default();
        self.require(self.manifests.has(kind, name), &format!("{kind} {name}"));
    }

    fn pod(&mut self, spec: &Value) {
        if let Some(account) = text(spec, "/serviceAccountName") {
            self.named("ServiceAccount", Some(account));
        }
        for container in containers(spec) {
            for source in list(container, "/envFrom") {
                for (field, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
                    if let Some(source) = source.get(field) {
                        self.key(kind, text(source, "/name"), None);
                    }
                }
            }
            let mut defined = BTreeSet::new();
            for variable in list(container, "/env") {
                for (field, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
                    if let Some(source) = variable.pointer(&format!("/valueFrom/{field}")) {
                        self.key(kind, text(source, "/name"), text(source, "/key"));
                    }
                }
                // Kubernetes replaces $(NAME) only by variables that stand before it.
                for used in variables(text(variable, "/value").unwrap_or_default()) {
                    self.require(defined.contains(used), &format!("variable {used} before its use"));
                }
                defined.insert(text(variable, "/name").unwrap_or_default());
            }
        }
        self.volumes(list(spec, "/volumes"));
    }

    fn volumes<'v>(&mut self, volumes: impl Iterator<Item = &'v Value>) {
        for volume in volumes {
            let (kind, source, name) = if let Some(source) = volume.get("configMap") {
                ("ConfigMap", source, text(source, "/name"))
            } else if let Some(source) = volume.get("secret") {
                ("Secret", source, text(source, "/secretName"))
            } else {
                continue;
            };
            self.key(kind, name, None);
            for item in list(source, "/items") {
                self.key(kind, name, text(item, "/key"));
            }
        }
    }

    fn resource(&mut self, resource: &Value) {
        match text(resource, "/kind").unwrap_or_default() {
            "StatefulSet" => self.named("Service", text(resource, "/spec/serviceName")),
            "Cluster" => self.postgres(resource),
            "RabbitmqCluster" => {
                self.volumes(list(
                    resource,
                    "/spec/override/statefulSet/spec/template/spec/volumes",
                ));
            }
            "Kafka" => self.volumes(list(resource, "/spec/kafka/template/pod/volumes")),
            "KafkaNodePool" => {
                let label = resource.pointer("/metadata/labels/strimzi.io~1cluster");
                self.named("Kafka", label.and_then(Value::as_str));
            }
            "MongoDBCommunity" => {
                for user in list(resource, "/spec/users") {
                    let key = text(user, "/passwordSecretRef/key").unwrap_or("password");
                    self.key("Secret", text(user, "/passwordSecretRef/name"), Some(key));
                }
            }
            "ExternalSecret" => self.external_secret(resource),
            "SecretStore" => {
                let account = "/spec/provider/vault/auth/kubernetes/serviceAccountRef/name";
                if let Some(account) = text(resource, account) {
                    self.named("ServiceAccount", Some(account));
                }
            }
            "TriggerAuthentication" => {
                for secret in list(resource, "/spec/secretTargetRef") {
                    self.key("Secret", text(secret, "/name"), text(secret, "/key"));
                }
            }
            "ScaledObject" => {
                for trigger in list(resource, "/spec/triggers") {
                    if let Some(authentication) = text(trigger, "/authenticationRef/name") {
                        self.named("TriggerAuthentication", Some(authentication));
                    }
                }
            }
            "Gateway" => {
                let listeners = list(resource, "/spec/listeners");
                for secret in listeners.flat_map(|listener| list(listener, "/tls/certificateRefs")) {
                    self.key("Secret", text(secret, "/name"), Some("tls.key"));
                }
            }
            "Certificate" => {
                let kind = text(resource, "/spec/issuerRef/kind").unwrap_or("Issuer");
                self.named(kind, text(resource, "/spec/issuerRef/name"));
            }
            "Issuer" => {
                if let Some(secret) = text(resource, "/spec/ca/secretName") {
                    self.key("Secret", Some(secret), Some("tls.key"));
                }
            }
            "HTTPRoute" => self.route(resource),
            "RoleBinding" => {
                self.named("Role", text(resource, "/roleRef/name"));
                for subject in list(resource, "/subjects") {
                    self.named("ServiceAccount", text(subject, "/name"));
                }
            }
            "AuthorizationPolicy" => {
                let target = resource.pointer("/spec/targetRef").into_iter();
                for reference in target.chain(list(resource, "/spec/requiredAuthenticationRefs")) {
                    let kind = text(reference, "/kind").unwrap_or_default();
                    self.named(kind, text(reference, "/name"));
                }
            }
            _ => {}
        }
    }

    /// A cluster of `CloudNativePG`. Its accounts need a name and a password.
    fn postgres(&mut self, cluster: &Value) {
        let owner = cluster.pointer("/spec/bootstrap/initdb/secret").into_iter();
        let roles = list(cluster, "/spec/managed/roles").filter_map(|role| role.get("passwordSecret"));
        for secret in owner.chain(roles) {
            for key in ["username", "password"] {
                self.key("Secret", text(secret, "/name"), Some(key));
            }
        }
        let scripts = "/spec/bootstrap/initdb/postInitApplicationSQLRefs/configMapRefs";
        for script in list(cluster, scripts) {
            self.key("ConfigMap", text(script, "/name"), text(script, "/key"));
        }
    }

    fn external_secret(&mut self, secret: &Value) {
        let kind = text(secret, "/spec/secretStoreRef/kind").unwrap_or("SecretStore");
        self.named(kind, text(secret, "/spec/secretStoreRef/name"));
        let keys: BTreeSet<_> = list(secret, "/spec/data")
            .filter_map(|entry| text(entry, "/secretKey"))
            .collect();
        let template = secret
            .pointer("/spec/target/template/data")
            .and_then(Value::as_object);
        for value in template
            .into_iter()
            .flatten()
            .filter_map(|(_, value)| value.as_str())
        {
            for used in value
                .split("{{ .")
                .skip(1)
                .filter_map(|rest| rest.split(" }}").next())
            {
                self.require(keys.contains(used), &format!("value {used} for its template"));
            }
        }
    }

    fn route(&mut self, route: &Value) {
        for parent in list(route, "/spec/parentRefs") {
            let section = parent.get("sectionName");
            let exists = self.manifests.of_kind("Gateway").any(|gateway| {
                name(gateway) == text(parent, "/name").unwrap_or_default()
                    && list(gateway, "/spec/listeners")
                        .any(|listener| section.is_none_or(|section| listener.get("name") == Some(section)))
            });
            self.require(exists, &format!("listener for the parent {parent}"));
        }
        let services = operators::services(self.manifests);
        for backend in list(route, "/spec/rules").flat_map(|rule| list(rule, "/backendRefs")) {
            let exists = services.iter().any(|service| {
                Some(service.name.as_str()) == text(backend, "/name")
                    && service
                        .ports
                        .iter()
                        .any(|port| Some(port.number) == backend.get("port").and_then(Value::as_u64))
            });
            self.require(exists, &format!("Service with the port of {backend}"));
        }
    }
}

/// The names in `$(NAME)`.
fn variables(value: &str) -> impl Iterator<Item = &str> {
    value
        .split("$(")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

/// Reports mounts of volumes or keys that do not exist, and volumes that no container mounts.
pub(crate) fn volumes(manifests: &Manifests) -> Vec<String> {
    let mut broken = Vec::new();
    for (pod, spec) in manifests.specified() {
        let owner = &pod.owner;
        let mut used = BTreeSet::new();
        for mount in containers(spec).flat_map(|container| list(container, "/volumeMounts")) {
            let wanted = text(mount, "/name").unwrap_or_default();
            used.insert(wanted);
            let Some(volume) = list(spec, "/volumes").find(|volume| text(volume, "/name") == Some(wanted))
            else {
                broken.push(format!("{owner}: there is no volume {wanted}"));
                continue;
            };
            let (Some(map), Some(key)) = (text(volume, "/configMap/name"), text(mount, "/subPath")) else {
                continue;
            };
            if !operators::keys(manifests, "ConfigMap", map).is_some_and(|keys| keys.contains(key)) {
                broken.push(format!("{owner}: there is no key {key} in the ConfigMap {map}"));
            }
        }
        let unused = list(spec, "/volumes").filter_map(|volume| text(volume, "/name"));
        let unused = unused.filter(|volume| !used.contains(volume));
        broken.extend(unused.map(|volume| format!("{owner}: the volume {volume} is not mounted")));
    }
    broken
}
