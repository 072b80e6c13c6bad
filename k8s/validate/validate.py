#!/usr/bin/env python3
"""Checks every overlay against the strict schemas of Kubernetes and of the operators, without a cluster.

    python3 -m venv target/k8s-venv && target/k8s-venv/bin/pip install kubernetes-validate jsonschema pyyaml
    target/k8s-venv/bin/python k8s/validate/validate.py

Fields that a schema does not know are errors. The schemas of the operators come from their Go modules (`go mod download`)
and, for Strimzi, from its Java model (`mvn`). Operators without a public Go module (CloudNativePG, RabbitMQ, Linkerd) are
checked where `--crds FOLDER` has their CustomResourceDefinitions, and are otherwise reported as not checked.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import kubernetes_validate
import yaml

K8S = pathlib.Path(__file__).resolve().parent.parent
KUBERNETES = "1.34"
# Module and version, and the folder or files with its definitions.
MODULES = [
    ("github.com/mongodb/mongodb-kubernetes-operator@v0.9.0", "config/crd/bases/*.yaml"),
    ("github.com/external-secrets/external-secrets@v1.3.2", "config/crds/bases/external-secrets.io_*.yaml"),
    ("github.com/kedacore/keda/v2@v2.20.2", "config/crd/bases/keda.sh_*.yaml"),
    ("github.com/prometheus-operator/prometheus-operator@v0.85.0", "example/prometheus-operator-crd/*.yaml"),
    ("sigs.k8s.io/gateway-api@v1.6.3", "config/crd/standard/*.yaml"),
]
STRIMZI = "0.51.0"
STRIMZI_GROUP = "kafka.strimzi.io"


# PyYAML gives a plain `=` a type of its own, which no loader knows.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LOADER.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))


def documents(text):
    return [document for document in yaml.load_all(text, LOADER) if document]


def strict(schema):
    """The same schema, in which an object has no other properties than the ones that are named."""
    if not isinstance(schema, dict):
        return schema
    schema = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-validations")}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    for key in ("properties", "patternProperties"):
        if key in schema:
            schema[key] = {name: strict(value) for name, value in schema[key].items()}
    for key in ("items", "additionalProperties", "not"):
        if key in schema:
            schema[key] = strict(schema[key])
    closed = "properties" in schema and "additionalProperties" not in schema
    if closed and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema["additionalProperties"] = False
    return schema


def definitions(files):
    """The schemas of custom resources by (group, version, kind)."""
    found = {}
    for file in files:
        # Charts have templates around their definitions.
        text = re.sub(r"(?m)^.*\{\{.*\}\}.*$", "", file.read_text())
        for crd in documents(text):
            if crd.get("kind") != "CustomResourceDefinition":
                continue
            spec = crd["spec"]
            for version in spec["versions"]:
                schema = dict(version["schema"]["openAPIV3Schema"])
                properties = dict(schema.get("properties", {}))
                properties.update(apiVersion={"type": "string"}, kind={"type": "string"}, metadata={"type": "object"})
                schema["properties"] = properties
                found[spec["group"], version["name"], spec["names"]["kind"]] = strict(schema)
    return found


def module(name):
    out = subprocess.run(["go", "mod", "download", "-json", name], capture_output=True, text=True, cwd=tempfile.gettempdir())
    answer = json.loads(out.stdout or "{}")
    if "Dir" not in answer:
        sys.exit(f"{name}: {answer.get('Error') or out.stderr}")
    return pathlib.Path(answer["Dir"])


def check_strimzi(resources):
    """Strimzi publishes a Java model and no schema."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "pom.xml").write_text(
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>souk</groupId><artifactId>check</artifactId><version>1</version><dependencies>"
            f"<dependency><groupId>io.strimzi</groupId><artifactId>api</artifactId><version>{STRIMZI}</version></dependency>"
            "</dependencies></project>"
        )
        subprocess.run(["mvn", "-q", "dependency:copy-dependencies", "-DoutputDirectory=lib"], cwd=folder, check=True)
        files = []
        for number, resource in enumerate(resources):
            files.append(folder / f"{number}.yaml")
            files[-1].write_text(yaml.safe_dump(resource))
        java = ["java", "-cp", f"{folder}/lib/*", str(K8S / "validate/StrimziCheck.java"), *map(str, files)]
        return subprocess.run(java, capture_output=True, text=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--crds", type=pathlib.Path, help="a folder with more CustomResourceDefinitions (*.yaml)")
    options = arguments.parse_args()
    files = [file for name, pattern in MODULES for file in sorted(module(name).glob(pattern))]
    if options.crds:
        files += sorted(options.crds.rglob("*.yaml"))
    schemas = definitions(files)
    problems, unchecked, strimzi, count = [], {}, [], 0
    for overlay in sorted((K8S / "overlays").iterdir()):
        rendered = subprocess.run(["kubectl", "kustomize", str(overlay)], capture_output=True, text=True, check=True).stdout
        for resource in documents(rendered):
            where = f"{overlay.name}: {resource['kind']} {resource['metadata']['name']}"
            group, _, version = resource["apiVersion"].rpartition("/")
            count += 1
            if group == STRIMZI_GROUP:
                strimzi.append(resource)
            elif (schema := schemas.get((group, version, resource["kind"]))) is not None:
                for error in jsonschema.Draft7Validator(schema).iter_errors(resource):
                    problems.append(f"{where}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")
            elif "." in group and not group.endswith(".k8s.io") and group != "policy":
                unchecked.setdefault(f"{group}/{version} {resource['kind']}", 0)
                unchecked[f"{group}/{version} {resource['kind']}"] += 1
            else:
                try:
                    kubernetes_validate.validate(resource, KUBERNETES, strict=True)
                except kubernetes_validate.ValidationError as error:
                    problems.append(f"{where}: {'.'.join(map(str, error.path))}: {error.message[:300]}")
    if strimzi:
        answer = check_strimzi(strimzi)
        if answer.returncode:
            problems.append(f"Strimzi: {answer.stdout}{answer.stderr}")
    print("\n".join(problems))
    for kind, number in unchecked.items():
        print(f"not checked, for want of a definition: {number} × {kind}")
    print(f"{count} resources, {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
