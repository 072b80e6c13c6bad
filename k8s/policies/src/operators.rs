//! What operators create for their resources: pods with labels and ports, Services and Secrets. It is what the versions that
//! docs/kubernetes.md names do.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::manifests::{Labels, Manifests, Pod, Port, group, labels, list, name, text, title};

/// The operators that these policies know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    CloudNativePg,
    RabbitMq,
    MongoDb,
    Strimzi,
}

fn operator(resource: &Value) -> Option<Operator> {
    match (group(resource), text(resource, "/kind")?) {
        ("postgresql.cnpg.io", "Cluster") => Some(Operator::CloudNativePg),
        ("rabbitmq.com", "RabbitmqCluster") => Some(Operator::RabbitMq),
        ("mongodbcommunity.mongodb.com", "MongoDBCommunity") => Some(Operator::MongoDb),
        ("kafka.strimzi.io", "Kafka") => Some(Operator::Strimzi),
        _ => None,
    }
}

/// The pods that an operator creates for a resource.
pub(crate) fn pod(resource: &Value) -> Option<Pod> {
    let operator = operator(resource)?;
    let name = name(resource);
    let (pointer, own) = match operator {
        Operator::CloudNativePg => (
            "/spec/inheritedMetadata/labels",
            vec![("cnpg.io/cluster", name.to_owned())],
        ),
        Operator::RabbitMq => (
            "/spec/override/statefulSet/spec/template/metadata/labels",
            vec![("app.kubernetes.io/name", name.to_owned())],
        ),
        Operator::MongoDb => (
            "/spec/statefulSet/spec/template/metadata/labels",
            vec![("app", format!("{name}-svc"))],
        ),
        Operator::Strimzi => (
            "/spec/kafka/template/pod/metadata/labels",
            vec![("strimzi.io/cluster", name.to_owned())],
        ),
    };
    let mut labels: Labels = labels(resource, pointer);
    labels.extend(own.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Some(Pod {
        owner: title(resource),
        name: name.to_owned(),
        labels,
        annotations: Labels::new(),
        ports: ports(operator, resource),
        spec: None,
        is_job: false,
    })
}

fn ports(operator: Operator, resource: &Value) -> Vec<Port> {
    let fixed: &[(&str, u64)] = match operator {
        Operator::CloudNativePg => &[("postgresql", 5432), ("metrics", 9187), ("status", 8000)],
        Operator::RabbitMq => &[
            ("amqp", 5672),
            ("management", 15672),
            ("prometheus", 15692),
            ("epmd", 4369),
            ("cluster-rpc", 25672),
        ],
        Operator::MongoDb => &[("mongodb", 27017)],
        Operator::Strimzi => &[
            ("tcp-ctrlplane", 9090),
            ("tcp-replication", 9091),
            ("tcp-agent", 8443),
        ],
    };
    let mut ports: Vec<Port> = fixed
        .iter()
        .map(|(name, number)| Port {
            name: Some((*name).to_owned()),
            number: *number,
        })
        .collect();
    if operator == Operator::Strimzi {
        let listeners = list(resource, "/spec/kafka/listeners");
        ports.extend(listeners.filter_map(|listener| {
            Some(Port {
                name: text(listener, "/name").map(|name| format!("tcp-{name}")),
                number: listener.get("port")?.as_u64()?,
            })
        }));
    }
    ports
}

/// A Service, written in a manifest or created by an operator.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) ports: Vec<Port>,
}

/// All Services, including those that operators create.
pub(crate) fn services(manifests: &Manifests) -> Vec<Service> {
    let written = manifests.of_kind("Service").map(|service| Service {
        name: name(service).to_owned(),
        labels: labels(service, "/metadata/labels"),
        ports: list(service, "/spec/ports")
            .filter_map(|port| {
                Some(Port {
                    name: text(port, "/name").map(str::to_owned),
                    number: port.get("port")?.as_u64()?,
                })
            })
            .collect(),
    });
    let mut services: Vec<Service> = written.collect();
    for resource in manifests.resources() {
        let Some(operator) = operator(resource) else {
            continue;
        };
        let name = name(resource);
        let names = match operator {
            Operator::CloudNativePg => {
                let additional = list(resource, "/spec/managed/services/additional");
                let additional =
                    additional.filter_map(|service| text(service, "/serviceTemplate/metadata/name"));
                let own = ["rw", "ro", "r"].map(|role| format!("{name}-{role}"));
                own.into_iter().chain(additional.map(str::to_owned)).collect()
            }
            Operator::RabbitMq => vec![name.to_owned()],
            Operator::MongoDb => vec![format!("{name}-svc")],
            Operator::Strimzi => vec![format!("{name}-kafka-bootstrap")],
        };
        services.extend(names.into_iter().map(|service| Service {
            name: service,
            labels: [("app.kubernetes.io/name".to_owned(), name.to_owned())].into(),
            ports: ports(operator, resource),
        }));
    }
    services
}

/// The keys of a Secret or `ConfigMap`, written in a manifest or created by an operator. `None` if there is none of that
/// name.
pub(crate) fn keys(manifests: &Manifests, kind: &str, wanted: &str) -> Option<BTreeSet<String>> {
    let written = manifests
        .of_kind(kind)
        .find(|resource| name(resource) == wanted)
        .map(|resource| {
            let maps = ["/data", "/stringData", "/binaryData"];
            let objects = maps.iter().filter_map(|map| resource.pointer(map)?.as_object());
            objects.flat_map(|object| object.keys().cloned()).collect()
        });
    if written.is_some() || kind != "Secret" {
        return written;
    }
    let external = manifests
        .of_kind("ExternalSecret")
        .find(|secret| text(secret, "/spec/target/name").unwrap_or_else(|| name(secret)) == wanted);
    if let Some(secret) = external {
        let template = secret
            .pointer("/spec/target/template/data")
            .and_then(Value::as_object);
        return Some(match template {
            Some(template) => template.keys().cloned().collect(),
            None => list(secret, "/spec/data")
                .filter_map(|entry| text(entry, "/secretKey").map(str::to_owned))
                .collect(),
        });
    }
    let mut certificates = manifests.of_kind("Certificate");
    if certificates.any(|certificate| text(certificate, "/spec/secretName") == Some(wanted)) {
        return Some(["ca.crt", "tls.crt", "tls.key"].map(str::to_owned).into());
    }
    // cert-manager keeps the certificates of a Gateway with its annotation.
    let issued = manifests.of_kind("Gateway").any(|gateway| {
        let annotated =
            labels(gateway, "/metadata/annotations").contains_key("cert-manager.io/cluster-issuer");
        let mut listeners = list(gateway, "/spec/listeners");
        annotated
            && listeners.any(|listener| {
                list(listener, "/tls/certificateRefs").any(|secret| text(secret, "/name") == Some(wanted))
            })
    });
    issued.then(|| ["tls.crt", "tls.key"].map(str::to_owned).into())
}
