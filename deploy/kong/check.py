#!/usr/bin/env python3
"""Checks kong.yaml, as `start` completes it, against the schema of Kong's own tools.

    python3 -m venv target/proxies-venv && target/proxies-venv/bin/pip install pyyaml jsonschema
    target/proxies-venv/bin/python deploy/kong/check.py
    target/proxies-venv/bin/python deploy/kong/check.py --souk http://localhost:8080    # with the keys of a running system

It needs Go, OpenSSL 3 and `docker compose`, which reads the Compose files; no Docker engine, and no image. The schema of
entities comes from the Go module of decK, a tool of Kong. It leaves the settings of plugins open, so these have a schema of
their own beside this file. The keys that `start` writes must verify a token of RFC 8037 and, with `--souk`, one of a
running system. With `--kong`, Kong itself reads the file, in its image.
"""

import argparse
import base64
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

import jsonschema
import yaml

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
MODULE = "github.com/kong/go-database-reconciler@v1.15.0"
# A key set in the format of the users service, with the key of RFC 8037, appendix A, and the token that is signed there.
SAMPLE = '{"keys":[{"alg":"EdDSA","crv":"Ed25519","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","kty":"OKP","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'

SAMPLE_TOKEN = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"


def entities():
    answer = subprocess.run(["go", "mod", "download", "-json", MODULE], capture_output=True, text=True, cwd=tempfile.gettempdir())
    module = json.loads(answer.stdout or "{}")
    if "Dir" not in module:
        sys.exit(f"{MODULE}: {module.get('Error') or answer.stderr}")
    schema = json.loads(pathlib.Path(module["Dir"], "pkg/file/kong_json_schema.json").read_text())
    # Kong generates this field if it is missing, and ignores it for keys of this kind.
    schema["definitions"]["JWTAuth"]["required"].remove("secret")
    return schema


def rendered(keys):
    command = ["bash", str(FOLDER / "start"), "render"]
    environment = {"PATH": "/usr/bin:/bin", "SOUK_KONG_TEMPLATE": str(FOLDER / "kong.yaml")}
    return yaml.safe_load(subprocess.run(command, input=keys, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout)


def plugins(config):
    """All plugins with the name of what they apply to."""
    for plugin in config["plugins"]:
        yield "all routes", plugin
    for service in config["services"]:
        for plugin in service.get("plugins", []):
            yield service["name"], plugin
    for route in config["routes"] + [route for service in config["services"] for route in service["routes"]]:
        for plugin in route.get("plugins", []):
            yield route["name"], plugin


def twice(names):
    names = list(names)
    return sorted({name for name in names if names.count(name) > 1})


def problems(config):
    for error in jsonschema.Draft4Validator(entities()).iter_errors(config):
        yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
    schema = json.loads((FOLDER / "plugins.schema.json").read_text())
    checker = jsonschema.Draft7Validator(schema)
    for where, plugin in plugins(config):
        for error in checker.iter_errors({plugin["name"]: plugin.get("config", {})}):
            yield f"{where}: {plugin['name']}: {error.message[:300]}"
    for pair in twice((where, plugin["name"]) for where, plugin in plugins(config)):
        yield f"{pair[0]}: only one {pair[1]} has an effect"
    for kind in ("services", "upstreams"):
        for name in twice(entity["name"] for entity in config[kind]):
            yield f"{kind}: {name} exists twice"
    for name in twice(route["name"] for service in config["services"] for route in service["routes"]):
        yield f"routes: {name} exists twice"
    instances = {upstream["name"] for upstream in config["upstreams"]}
    for service in config["services"]:
        if "port" not in service and service["host"] not in instances:
            yield f"{service['name']}: no upstream is named {service['host']}"


def problems_of_compose():
    """The merged Compose file publishes Kong instead of the gateway, and mounts files that exist."""
    command = ["docker", "compose", "-f", "docker-compose.yml", "-f", "deploy/kong/compose.yaml", "config", "--format", "json"]
    services = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)["services"]
    if services["gateway"].get("ports"):
        yield "compose.yaml: the gateway still publishes a port"
    if "proxy" not in services["gateway"]["networks"] or "souk-gateway" not in services["gateway"]["networks"]["proxy"]["aliases"]:
        yield "compose.yaml: Kong cannot reach the gateway as souk-gateway"
    for volume in services["kong"]["volumes"]:
        if not pathlib.Path(volume["source"]).is_file():
            yield f"compose.yaml: {volume['source']} is no file"


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(token, keys):
    """Fails unless one of the keys that Kong gets verifies the token: the one whose `key` is the token's `kid`."""
    signed, _, signature = token.rpartition(".")
    header = json.loads(decode(signed.split(".")[0]))
    secrets = rendered(keys)["consumers"][0]["jwt_secrets"]
    [key] = [key for key in secrets if key["key"] == header.get("kid", key["key"])]
    if key["algorithm"] != header["alg"]:
        sys.exit(f"the token's algorithm is {header['alg']}, and the key's is {key['algorithm']}")
    with tempfile.TemporaryDirectory() as folder:
        files = {"key": key["rsa_public_key"].encode(), "signed": signed.encode(), "signature": decode(signature)}
        for name, content in files.items():
            pathlib.Path(folder, name).write_bytes(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "signed", "-sigfile", "signature"]
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if answer.returncode:
        sys.exit(f"the token does not fit the key: {answer.stdout}{answer.stderr}")


def token_of(souk):
    """A token of the running system, and its key set."""
    keys = urllib.request.urlopen(f"{souk}/.well-known/jwks.json", timeout=10).read().decode()
    body = json.dumps({"email": "demo@souk.test", "password": "demo-password-souk"}).encode()
    request = urllib.request.Request(f"{souk}/v1/auth/login", body, {"content-type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=10))["access_token"], keys


def parse_with_kong():
    """Lets Kong itself read the file, in the image that compose.yaml names."""
    image = re.search(r"image: (kong:\S+)", (FOLDER / "compose.yaml").read_text())[1]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "kong.yaml")
        file.write_text(yaml.safe_dump(rendered(SAMPLE)))
        # Kong runs as an account that does not own the files.
        pathlib.Path(folder).chmod(0o755)
        command = ["docker", "run", "--rm", "-e", "KONG_DATABASE=off", "-v", f"{folder}:/check:ro", image, "kong", "config", "parse", "/check/kong.yaml"]
        if subprocess.run(command).returncode:
            sys.exit(f"{image} rejects kong.yaml")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--souk", help="URL of a running demo: verify a token of it")
    arguments.add_argument("--kong", action="store_true", help="let Kong itself read the file; needs a Docker engine")
    options = arguments.parse_args()
    config = rendered(SAMPLE)
    found = [*problems(config), *problems_of_compose()]
    print("\n".join(found), end="\n" if found else "")
    print(f"{len(config['services'])} services, {sum(len(service['routes']) for service in config['services'])} routes, {len(found)} problems")
    if found:
        sys.exit(1)
    verify(SAMPLE_TOKEN, SAMPLE)
    if options.souk:
        verify(*token_of(options.souk))
        print("a token of the running system fits the key that Kong gets")
    if options.kong:
        parse_with_kong()


if __name__ == "__main__":
    main()
