//! Renders every overlay, and applies the policies to it. Needs `kubectl` or Go (which then builds kustomize); without them
//! these tests print why they check nothing, except in CI, where they fail.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use k8s_policies::{Call, Manifests, calls, check};

/// The version is pinned, so that every machine renders the same.
const KUSTOMIZE: &str = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1";

/// The arrows of the architecture that every overlay has: caller, called, port.
const ARROWS: [(&str, &str, u64); 30] = [
    ("gateway", "users", 8081),
    ("gateway", "orders", 8082),
    ("gateway", "inventory", 8083),
    ("gateway", "inventory", 9083),
    ("gateway", "payments", 8084),
    ("gateway", "notifications", 8087),
    ("orders", "inventory", 9083),
    ("orders", "users", 8081),
    ("inventory", "users", 8081),
    ("payments", "users", 8081),
    ("notifications", "users", 8081),
    ("users", "users-db", 5432),
    ("orders", "orders-db", 5432),
    ("payments", "payments-db", 5432),
    ("notifications", "notifications-db", 5432),
    ("inventory", "mongo", 27017),
    ("migrate-users", "users-db", 5432),
    ("migrate-orders", "orders-db", 5432),
    ("migrate-payments", "payments-db", 5432),
    ("migrate-notifications", "notifications-db", 5432),
    ("migrate-inventory", "mongo", 27017),
    ("orders", "rabbitmq", 5672),
    ("inventory", "rabbitmq", 5672),
    ("payments", "rabbitmq", 5672),
    ("users", "kafka", 9092),
    ("orders", "kafka", 9092),
    ("inventory", "kafka", 9092),
    ("payments", "kafka", 9092),
    ("notifications", "kafka", 9092),
    ("create-topics", "kafka", 9092),
];

/// The arrows of the stand-in for the payment provider and of the auditor.
const PROVIDER: [(&str, &str, u64); 16] = [
    ("payments", "psp", 8085),
    ("psp", "gateway", 8080),
    ("psp", "psp-db", 5432),
    ("migrate-psp", "psp-db", 5432),
    ("gateway", "auditor", 8086),
    ("auditor", "users", 8081),
    ("auditor", "users-db", 5432),
    ("auditor", "orders-db", 5432),
    ("auditor", "payments-db", 5432),
    ("auditor", "psp-db", 5432),
    ("auditor", "mongo", 27017),
    ("auditor", "kafka", 9092),
    ("grant-readers", "users-db", 5432),
    ("grant-readers", "orders-db", 5432),
    ("grant-readers", "payments-db", 5432),
    ("grant-readers", "psp-db", 5432),
];

/// The arrows of the demo. Besides them, every program and task sends traces to Jaeger, and the published pages are open.
const DEMO: [(&str, &str, u64); 4] = [
    ("notifications", "mailpit", 1025),
    ("seed-users", "users-db", 5432),
    ("seed-inventory", "mongo", 27017),
    ("seed-orders", "gateway", 8080),
];

fn overlay(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../overlays")
        .join(name)
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Option<Result<String, String>> {
    let output = Command::new(program)
        .args(arguments)
        .arg(folder)
        .current_dir(std::env::temp_dir())
        .output()
        .ok()?;
    Some(if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    })
}

/// The rendered overlay; `None` if this machine cannot render it.
fn render(name: &str) -> Option<Manifests> {
    render_folder(name, &overlay(name))
}

/// Like [`render`], for an overlay in any folder.
fn render_folder(name: &str, folder: &Path) -> Option<Manifests> {
    let rendered =
        run("kubectl", &["kustomize"], folder).or_else(|| run("go", &["run", KUSTOMIZE, "build"], folder));
    let Some(rendered) = rendered else {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI needs kubectl or Go to render k8s/overlays/{name}"
        );
        eprintln!("skipped: neither kubectl nor Go is there to render k8s/overlays/{name}");
        return None;
    };
    let text = rendered.unwrap_or_else(|error| panic!("k8s/overlays/{name} cannot be rendered: {error}"));
    Some(Manifests::parse(&text).unwrap())
}

fn arrows<'a>(tables: impl IntoIterator<Item = &'a [(&'a str, &'a str, u64)]>) -> BTreeSet<Call> {
    let calls = tables.into_iter().flatten().map(|(from, to, port)| Call {
        from: (*from).to_owned(),
        to: (*to).to_owned(),
        port: *port,
    });
    calls.collect()
}

/// Fails with the calls that are allowed without an arrow, and with the arrows that are not allowed.
fn assert_calls(manifests: &Manifests, expected: &BTreeSet<Call>) {
    let allowed = calls(manifests);
    let show = |calls: BTreeSet<&Call>| {
        calls
            .into_iter()
            .map(|Call { from, to, port }| format!("{from} -> {to}:{port}"))
            .collect::<Vec<_>>()
    };
    let surplus = show(allowed.difference(expected).collect());
    let missing = show(expected.difference(&allowed).collect());
    assert_eq!(
        (surplus, missing),
        (vec![], vec![]),
        "(allowed but no arrow, arrow but not allowed)"
    );
}

#[test]
fn local_keeps_the_policies_and_the_arrows() {
    let Some(manifests) = render("local") else { return };
    assert_eq!(check(&manifests), []);
    let mut expected = arrows([&ARROWS[..], &PROVIDER, &DEMO]);
    // Every program and task sends traces.
    for pod in manifests.pods() {
        let component = pod.labels.get("app.kubernetes.io/component").map(String::as_str);
        if matches!(component, Some("program" | "migration" | "seed")) {
            expected.extend(arrows([&[(pod.name.as_str(), "jaeger", 4318)][..]]));
        }
    }
    assert_calls(&manifests, &expected);
}

#[test]
fn staging_keeps_the_policies_and_the_arrows() {
    let Some(manifests) = render("staging") else {
        return;
    };
    assert_eq!(check(&manifests), []);
    assert_calls(&manifests, &arrows([&ARROWS[..], &PROVIDER]));
}

#[test]
fn production_keeps_the_policies_and_the_arrows() {
    let Some(manifests) = render("production") else {
        return;
    };
    assert_eq!(check(&manifests), []);
    assert_calls(&manifests, &arrows([&ARROWS[..]]));
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn staging_may_use_certificates_instead_of_a_mesh() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["base", "components", "overlays"] {
        copy(&overlay("..").join(part), &folder.path().join(part));
    }
    let cluster = folder.path().join("components/cluster/kustomization.yaml");
    let text = std::fs::read_to_string(&cluster).unwrap();
    std::fs::write(&cluster, text.replace("../linkerd", "../certificates")).unwrap();
    let Some(manifests) = render_folder("staging", &folder.path().join("overlays/staging")) else {
        return;
    };
    assert_eq!(check(&manifests), []);
    assert_calls(&manifests, &arrows([&ARROWS[..], &PROVIDER]));
    let mut names = BTreeSet::new();
    for (pod, spec) in manifests
        .pods()
        .iter()
        .filter_map(|pod| Some((pod, pod.spec.as_ref()?)))
    {
        let own = format!("{}-tls", pod.name);
        let mut secrets = spec["volumes"].as_array().into_iter().flatten();
        let mut mounted = secrets
            .by_ref()
            .filter_map(|volume| volume["secret"]["secretName"].as_str());
        let Some(secret) = mounted.find(|secret| secret.ends_with("-tls")) else {
            continue;
        };
        assert_eq!(secret, own, "each program has only its own key");
        let variables = spec["containers"][0]["env"].as_array().unwrap();
        let value = |name: &str| {
            let variable = variables.iter().find(|variable| variable["name"] == name);
            variable.and_then(|variable| variable["value"].as_str())
        };
        assert_eq!(value("SOUK_TLS_KEY"), Some("/etc/souk/tls/tls.key"));
        let keys = value("SOUK_JWKS_URL");
        assert!(
            keys.map_or(pod.name == "users", |url| url.starts_with("https://")),
            "{own}"
        );
        let callers = value("SOUK_TLS_CALLERS");
        assert_eq!(callers.is_none(), pod.name == "gateway", "{own}");
        names.insert(pod.name.clone());
    }
    let expected = [
        "auditor",
        "gateway",
        "inventory",
        "notifications",
        "orders",
        "payments",
        "users",
    ];
    assert_eq!(names, expected.map(str::to_owned).into());
}

#[test]
fn production_has_no_stand_in_provider_and_no_demo() {
    let Some(manifests) = render("production") else {
        return;
    };
    for name in ["psp", "psp-db", "auditor", "seed-users", "seed-orders", "mailpit"] {
        assert!(
            manifests.pods().iter().all(|pod| pod.name != name),
            "{name} runs in production"
        );
    }
    let settings = manifests
        .of_kind("ConfigMap")
        .filter_map(|map| map.pointer("/data/SOUK_DEMO"));
    assert_eq!(settings.collect::<Vec<_>>(), ["false"]);
    assert_eq!(
        manifests.of_kind("Secret").count(),
        0,
        "secrets come from outside"
    );
    let url = manifests
        .of_kind("ConfigMap")
        .find_map(|map| map.pointer("/data/SOUK_PSP_URL"));
    assert!(url.and_then(|url| url.as_str()).unwrap().starts_with("https://"));
}

#[test]
fn only_the_gateway_has_a_token_and_it_reads_only_endpoints() {
    for overlay in ["local", "staging", "production"] {
        let Some(manifests) = render(overlay) else { return };
        let with_token = manifests.pods().iter().filter(|pod| {
            let spec = pod.spec.as_ref();
            spec.is_some_and(|spec| spec["automountServiceAccountToken"] != false)
        });
        let names: Vec<_> = with_token.map(|pod| pod.owner.as_str()).collect();
        assert_eq!(names, ["Deployment gateway"], "{overlay}");
        let mut roles = manifests.of_kind("Role");
        let role = roles.find(|role| role["metadata"]["name"] == "gateway").unwrap();
        let allowed = serde_json::json!([
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}
        ]);
        assert_eq!(role["rules"], allowed, "{overlay}");
        let settings = manifests
            .of_kind("ConfigMap")
            .filter_map(|map| map.pointer("/data/SOUK_DISCOVERY"));
        assert_eq!(settings.collect::<Vec<_>>(), ["kubernetes"], "{overlay}");
    }
}
