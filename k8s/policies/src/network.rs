//! Evaluates network policies: which pods can call which ports of which pods.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    manifests::{Manifests, Pod, list, text, title},
    selectors::selects,
};

/// The port on which a proxy of Linkerd receives calls to any port of its pod.
const LINKERD: u64 = 4143;
/// The annotation of a pod that has such a proxy.
const INJECTED: &str = "linkerd.io/inject";
/// The label that databases and brokers have in all overlays, with or without an operator.
const STORE: &str = "souk.test/store";

/// A call from one pod to a port of another that the network policies allow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Name of the calling workload.
    pub from: String,
    /// Name of the called workload.
    pub to: String,
    /// Number of the called port.
    pub port: u64,
}

/// Which side of a call a policy decides about.
#[derive(Clone, Copy)]
enum Side {
    Ingress,
    Egress,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        }
    }

    /// Pointers to the rules of a policy and to the peers of a rule.
    fn pointers(self) -> (&'static str, &'static str) {
        match self {
            Self::Ingress => ("/spec/ingress", "from"),
            Self::Egress => ("/spec/egress", "to"),
        }
    }
}

/// All calls between different workloads that the network policies allow, to ports that the called pods declare.
#[must_use]
pub fn calls(manifests: &Manifests) -> BTreeSet<Call> {
    pairs(manifests)
        .flat_map(|(from, to)| {
            let ports = to.ports.iter().map(|port| port.number);
            let allowed = ports.filter(move |port| is_allowed(manifests, from, to, *port));
            allowed.map(|port| Call {
                from: from.name.clone(),
                to: to.name.clone(),
                port,
            })
        })
        .collect()
}

fn pairs(manifests: &Manifests) -> impl Iterator<Item = (&Pod, &Pod)> {
    let pods = manifests.pods();
    let all = pods
        .iter()
        .flat_map(move |from| pods.iter().map(move |to| (from, to)));
    all.filter(|(from, to)| from.owner != to.owner)
}

fn is_allowed(manifests: &Manifests, from: &Pod, to: &Pod, port: u64) -> bool {
    allows(manifests, Side::Egress, from, to, to, port)
        && allows(manifests, Side::Ingress, to, from, to, port)
}

/// Whether the policies that select `pod` let it talk to `peer` on a port of `called`.
fn allows(manifests: &Manifests, side: Side, pod: &Pod, peer: &Pod, called: &Pod, port: u64) -> bool {
    let mut policies = policies(manifests, side, pod).peekable();
    if policies.peek().is_none() {
        return true;
    }
    let (rules, peers) = side.pointers();
    policies.any(|policy| {
        list(policy, rules).any(|rule| {
            let to_peer = rule
                .get(peers)
                .is_none_or(|peers| list(peers, "").any(|one| is_peer(one, peer)));
            to_peer
                && rule
                    .get("ports")
                    .is_none_or(|ports| list(ports, "").any(|one| is_port(one, called, port)))
        })
    })
}

fn policies<'a>(manifests: &'a Manifests, side: Side, pod: &'a Pod) -> impl Iterator<Item = &'a Value> {
    manifests.of_kind("NetworkPolicy").filter(move |policy| {
        let selector = policy.pointer("/spec/podSelector").unwrap_or(&Value::Null);
        list(policy, "/spec/policyTypes").any(|kind| kind == side.name()) && selects(selector, &pod.labels)
    })
}

fn is_peer(peer: &Value, pod: &Pod) -> bool {
    if let Some(block) = peer.get("ipBlock") {
        // Many networks apply address ranges to pods, too, unless their addresses are excluded.
        return !list(block, "/except").any(|except| except == "10.0.0.0/8");
    }
    // Other namespaces are named by a label; a selector of all namespaces also means this one.
    let here = peer
        .get("namespaceSelector")
        .is_none_or(|namespaces| *namespaces == json!({}));
    here && selects(peer.get("podSelector").unwrap_or(&Value::Null), &pod.labels)
}

fn is_port(rule: &Value, called: &Pod, port: u64) -> bool {
    if text(rule, "/protocol").is_some_and(|protocol| protocol != "TCP") {
        return false;
    }
    match rule.get("port") {
        None => true,
        Some(Value::String(name)) => called
            .ports
            .iter()
            .any(|own| own.name.as_ref() == Some(name) && own.number == port),
        Some(first) => {
            let first = first.as_u64().unwrap_or_default();
            let last = rule.get("endPort").and_then(Value::as_u64).unwrap_or(first);
            (first..=last).contains(&port)
        }
    }
}

/// Reports pods that no policy limits in one direction, and other ways around the policies: listeners of Kafka that are open
/// to every pod, and proxies of the mesh that more pods can reach than their ports.
pub(crate) fn isolated(manifests: &Manifests) -> Vec<String> {
    let mut broken = Vec::new();
    for pod in manifests.pods() {
        for side in [Side::Ingress, Side::Egress] {
            if policies(manifests, side, pod).next().is_none() {
                broken.push(format!(
                    "{}: no network policy limits its {}",
                    pod.owner,
                    side.name()
                ));
            }
        }
    }
    // Strimzi creates a policy for each listener, which lets every pod connect unless peers are named.
    for kafka in manifests.of_kind("Kafka") {
        for listener in list(kafka, "/spec/kafka/listeners") {
            if list(listener, "/networkPolicyPeers").next().is_none() {
                broken.push(format!(
                    "{}: a listener without networkPolicyPeers is open to every pod",
                    title(kafka)
                ));
            }
        }
    }
    // A pod that reaches a proxy can call every port behind it.
    let open = calls(manifests);
    for (from, to) in pairs(manifests) {
        let meshed = [from, to]
            .iter()
            .all(|pod| pod.annotations.contains_key(INJECTED));
        let arrow = open
            .iter()
            .any(|call| call.from == from.name && call.to == to.name);
        let through_proxy = is_allowed(manifests, from, to, LINKERD);
        if meshed && arrow != through_proxy {
            let (way, other) = if arrow {
                ("the port", "its proxy")
            } else {
                ("the proxy", "a port")
            };
            broken.push(format!(
                "{}: it reaches {way} of {} but not {other}",
                from.owner, to.owner
            ));
        }
    }
    broken
}

/// Reports callers of a database other than its service, the tasks of that service, and the auditor.
pub(crate) fn databases(manifests: &Manifests) -> Vec<String> {
    let mut broken = Vec::new();
    let open = calls(manifests);
    for database in manifests.pods() {
        let Some(store) = database.labels.get(STORE) else {
            continue;
        };
        let service = match store.strip_suffix("-db") {
            Some(service) => service,
            None if store == "mongo" => "inventory",
            None => continue,
        };
        let own = [
            service.to_owned(),
            format!("migrate-{service}"),
            format!("seed-{service}"),
            "auditor".to_owned(),
            "grant-readers".to_owned(),
        ];
        let callers = open.iter().filter(|call| call.to == database.name);
        let others = callers.filter(|call| !own.contains(&call.from));
        broken.extend(
            others.map(|call| format!("{}: {} can reach port {}", database.owner, call.from, call.port)),
        );
    }
    broken
}
