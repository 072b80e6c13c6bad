//! Every policy accepts the fixture and refuses it once it is broken in one place.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use k8s_policies::{Call, Manifests, POLICIES, calls, check};

const FIXTURE: &str = include_str!("fixture.yaml");

/// Replaces the first occurrence of a text in the fixture, and returns the violations that the policies then report.
fn violations(from: &str, to: &str) -> Vec<(&'static str, String)> {
    assert!(FIXTURE.contains(from), "the fixture does not contain `{from}`");
    let manifests = Manifests::parse(&FIXTURE.replacen(from, to, 1)).unwrap();
    let violations = check(&manifests).into_iter();
    violations
        .map(|violation| (violation.policy, violation.message))
        .collect()
}

/// Each entry is the policy that must refuse the change, a part of its message, and the text before and after the change.
const MUTATIONS: [(&str, &str, &str, &str); 58] = [
    (
        "hardened",
        "automountServiceAccountToken",
        "automountServiceAccountToken: false",
        "automountServiceAccountToken: true",
    ),
    (
        "hardened",
        "automountServiceAccountToken must be true",
        "subjects: [{kind: ServiceAccount, name: reader}]",
        "subjects: [{kind: ServiceAccount, name: users}]",
    ),
    (
        "hardened",
        "mounted as volumes",
        "{name: tmp, emptyDir: {}}",
        "{name: tmp, projected: {sources: [{serviceAccountToken: {path: token}}]}}",
    ),
    (
        "references",
        "Role other",
        "roleRef: {kind: Role, name: reader",
        "roleRef: {kind: Role, name: other",
    ),
    (
        "hardened",
        "enableServiceLinks",
        "      enableServiceLinks: false\n",
        "",
    ),
    (
        "hardened",
        "hostNetwork",
        "enableServiceLinks: false",
        "enableServiceLinks: false\n      hostNetwork: true",
    ),
    (
        "hardened",
        "hostPath",
        "{name: tmp, emptyDir: {}}",
        "{name: tmp, hostPath: {path: /}}",
    ),
    ("hardened", "runAsNonRoot", "runAsNonRoot: true, ", ""),
    ("hardened", "other than root", "runAsUser: 10001", "runAsUser: 0"),
    (
        "hardened",
        "seccompProfile",
        "type: RuntimeDefault",
        "type: Unconfined",
    ),
    (
        "hardened",
        "allowPrivilegeEscalation",
        "allowPrivilegeEscalation: false, ",
        "",
    ),
    (
        "hardened",
        "readOnlyRootFilesystem",
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
    ),
    (
        "hardened",
        "privileged",
        "{allowPrivilegeEscalation",
        "{privileged: true, allowPrivilegeEscalation",
    ),
    ("hardened", "capabilities", "drop: [ALL]", "drop: [NET_RAW]"),
    (
        "hardened",
        "capabilities",
        "drop: [ALL]",
        "drop: [ALL], add: [NET_ADMIN]",
    ),
    (
        "resources",
        "no requests for cpu",
        "requests: {cpu: 50m, ",
        "requests: {",
    ),
    (
        "resources",
        "no limits for memory",
        "limits: {cpu: \"1\", memory: 256Mi}",
        "limits: {cpu: \"1\"}",
    ),
    ("probes", "no readinessProbe", "readinessProbe", "otherProbe"),
    ("probes", "no livenessProbe", "livenessProbe", "otherProbe"),
    ("probes", "no startupProbe", "startupProbe", "otherProbe"),
    (
        "probes",
        "names a port",
        "path: /readyz, port: admin",
        "path: /readyz, port: other",
    ),
    ("images", "has no version", "souk-users:0.1.0", "souk-users"),
    (
        "images",
        "has no version",
        "souk-users:0.1.0",
        "souk-users:latest",
    ),
    ("images", "RabbitmqCluster", "rabbitmq:4-management", "rabbitmq"),
    (
        "references",
        "ServiceAccount",
        "serviceAccountName: users",
        "serviceAccountName: other",
    ),
    (
        "references",
        "ConfigMap other",
        "configMapRef: {name: settings}",
        "configMapRef: {name: other}",
    ),
    (
        "references",
        "Secret other",
        "secretKeyRef: {name: users-database",
        "secretKeyRef: {name: other",
    ),
    ("references", "key other", "key: password}}}", "key: other}}}"),
    (
        "references",
        "variable DATABASE_PASSWORD",
        "{name: DATABASE_PASSWORD",
        "{name: OTHER_PASSWORD",
    ),
    (
        "references",
        "ConfigMap other",
        "configMap: {name: scripts}",
        "configMap: {name: other}",
    ),
    (
        "references",
        "Service other",
        "serviceName: users-db",
        "serviceName: other",
    ),
    (
        "references",
        "TriggerAuthentication",
        "authenticationRef: {name: broker}",
        "authenticationRef: {name: other}",
    ),
    ("references", "key other", "key: host}", "key: other}"),
    (
        "references",
        "SecretStore other",
        "kind: SecretStore, name: souk",
        "kind: SecretStore, name: other",
    ),
    ("references", "value other", "{{ .password }}", "{{ .other }}"),
    (
        "references",
        "Secret certificate",
        "cert-manager.io/cluster-issuer: issuer",
        "other: issuer",
    ),
    (
        "references",
        "listener",
        "sectionName: https",
        "sectionName: other",
    ),
    (
        "references",
        "Service with the port",
        "{name: users, port: 8081}",
        "{name: users, port: 8082}",
    ),
    (
        "volumes",
        "no volume other",
        "{name: tmp, mountPath",
        "{name: other, mountPath",
    ),
    ("volumes", "no key other", "subPath: start", "subPath: other"),
    (
        "volumes",
        "not mounted",
        "{name: tmp, emptyDir: {}}",
        "{name: tmp, emptyDir: {}}, {name: other, emptyDir: {}}",
    ),
    (
        "selectors",
        "Deployment users",
        "matchLabels: {app: users}}\n  template",
        "matchLabels: {app: other}}\n  template",
    ),
    (
        "selectors",
        "topology",
        "labelSelector: {matchLabels: {app: users}}",
        "labelSelector: {matchLabels: {app: other}}",
    ),
    (
        "selectors",
        "Service users: it selects no pod",
        "selector: {app: users}",
        "selector: {app: other}",
    ),
    ("selectors", "no port", "targetPort: http", "targetPort: other"),
    (
        "selectors",
        "PodDisruptionBudget",
        "maxUnavailable: 1, selector: {matchLabels: {app: users}}",
        "maxUnavailable: 1, selector: {matchLabels: {app: other}}",
    ),
    (
        "selectors",
        "NetworkPolicy to-users-db",
        "podSelector: {matchLabels: {app: users-db}}\n",
        "podSelector: {matchLabels: {app: other}}\n",
    ),
    (
        "selectors",
        "app=other",
        "values: [users, migrate-users]",
        "values: [users, migrate-users, other]",
    ),
    (
        "selectors",
        "ServiceMonitor programs: it selects no Service",
        "values: [users, orders]",
        "values: [other]",
    ),
    (
        "selectors",
        "no port named",
        "endpoints: [{port: admin}]",
        "endpoints: [{port: other}]",
    ),
    ("selectors", "Server http", "port: http}", "port: other}"),
    (
        "autoscalers",
        "there is no Deployment other",
        "kind: Deployment, name: users",
        "kind: Deployment, name: other",
    ),
    (
        "autoscalers",
        "there is no Deployment other",
        "scaleTargetRef: {name: orders}",
        "scaleTargetRef: {name: other}",
    ),
    (
        "autoscalers",
        "scaled by",
        "scaleTargetRef: {name: orders}",
        "scaleTargetRef: {name: users}",
    ),
    (
        "autoscalers",
        "fixed number",
        "metadata: {name: users}\nspec:\n  selector: {matchLabels",
        "metadata: {name: users}\nspec:\n  replicas: 2\n  selector: {matchLabels",
    ),
    (
        "addresses",
        "no Service orders has the port 8083",
        "http://orders:8082",
        "http://orders:8083",
    ),
    ("addresses", "no Service other", "@users-db:5432", "@other:5432"),
    (
        "addresses",
        "no Service rabbitmq",
        "rabbitmq.souk.svc:5672",
        "rabbitmq.souk.svc:5671",
    ),
];

/// Changes that only the policies about the network notice, in the same form.
const NETWORK: [(&str, &str, &str, &str); 6] = [
    (
        "isolated",
        "limits its Egress",
        "policyTypes: [Ingress, Egress]",
        "policyTypes: [Ingress]",
    ),
    (
        "isolated",
        "limits its Ingress",
        "policyTypes: [Ingress, Egress]",
        "policyTypes: [Egress]",
    ),
    ("isolated", "networkPolicyPeers", "networkPolicyPeers", "others"),
    (
        "isolated",
        "but not its proxy",
        "{port: 8082}, {port: 4143}",
        "{port: 8082}",
    ),
    (
        "isolated",
        "but not a port",
        "{port: 8082}, {port: 4143}",
        "{port: 4143}",
    ),
    (
        "databases",
        "orders can reach port 5432",
        "podSelector: {}, policyTypes: [Ingress, Egress]",
        "podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]",
    ),
];

#[test]
fn the_fixture_keeps_every_policy() {
    assert_eq!(check(&Manifests::parse(FIXTURE).unwrap()), []);
}

#[test]
fn every_mutation_is_caught_by_its_policy() {
    for (policy, message, from, to) in MUTATIONS.into_iter().chain(NETWORK) {
        let found = violations(from, to);
        assert!(
            found
                .iter()
                .any(|(by, what)| *by == policy && what.contains(message)),
            "{policy} did not report `{message}` after `{from}` became `{to}`: {found:#?}"
        );
    }
}

#[test]
fn every_policy_has_a_mutation() {
    for (policy, _) in POLICIES {
        let mut mutations = MUTATIONS.iter().chain(&NETWORK);
        assert!(
            mutations.any(|(by, ..)| *by == policy),
            "{policy} has no mutation"
        );
    }
}

/// The calls that the fixture allows after a change, as `caller callee:port`.
fn calls_after(from: &str, to: &str) -> Vec<String> {
    assert!(FIXTURE.contains(from), "the fixture does not contain `{from}`");
    let manifests = Manifests::parse(&FIXTURE.replacen(from, to, 1)).unwrap();
    let calls = calls(&manifests).into_iter();
    calls
        .map(|Call { from, to, port }| format!("{from} {to}:{port}"))
        .collect()
}

#[test]
fn network_policies_are_evaluated_as_kubernetes_does() {
    let all = [
        "migrate-users users-db:5432",
        "users orders:8082",
        "users users-db:5432",
    ];
    assert_eq!(calls_after("", ""), all);
    // Both ends must allow a call.
    let without_orders = ["migrate-users users-db:5432", "users users-db:5432"];
    for (policy, pods) in [("to-orders", "orders"), ("calls-orders", "users")] {
        let selector = format!("{{name: {policy}}}\nspec:\n  podSelector: {{matchLabels: {{app: {pods}}}}}");
        let other = selector.replace(&format!("app: {pods}"), "app: other");
        assert_eq!(calls_after(&selector, &other), without_orders, "without {policy}");
    }
    // Pods of another namespace are other pods, even with the same labels.
    let here = "podSelector: {matchLabels: {app: orders}}}], ports: [{port: 8082}";
    let there = "namespaceSelector: {matchLabels: {name: other}}, podSelector: {matchLabels: {app: orders}}}], ports: [{port: 8082}";
    assert_eq!(calls_after(here, there), without_orders);
    // A range of addresses includes pods, unless their network is excluded.
    let range = "ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 8082}";
    assert_eq!(calls_after(here, range), all);
    let outside = "ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}], ports: [{port: 8082}";
    assert_eq!(calls_after(here, outside), without_orders);
    // Ports by name, ranges of ports, and other protocols.
    let port = "ports: [{port: 8082}, {port: 4143}]}]\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: calls-orders}";
    for (ports, allowed) in [
        ("{port: http}", true),
        ("{port: 8000, endPort: 8100}", true),
        ("{port: 8082, protocol: UDP}", false),
        ("{port: admin}", false),
    ] {
        let changed = port.replacen("{port: 8082}, {port: 4143}", ports, 1);
        let is_allowed = calls_after(port, &changed).contains(&"users orders:8082".to_owned());
        assert_eq!(is_allowed, allowed, "{ports}");
    }
}
