#!/usr/bin/env python3
"""Checks that Traefik itself accepts these files and forwards every route as docs/coming-from-kong-and-traefik.md says.

    python3 -m venv target/proxies-venv && target/proxies-venv/bin/pip install pyyaml
    target/proxies-venv/bin/python deploy/traefik/check.py
    target/proxies-venv/bin/python deploy/traefik/check.py --state target/souk    # of a running `cargo xtask up`

It needs Go, from whose module Traefik is built once, and `docker compose`, which reads the Compose files; no Docker
engine, and no image. Traefik gets the labels from a stand-in for Docker's API. Each container of the labels is a server
on an address in 127.1.0.0/24 that answers with the request it received. With `--state` these addresses lead to the services
of a running system instead, and the check logs in, reads the catalog and places an order through Traefik.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import yaml

from standins import ROOT, Containers, docker_api, echo, forward, serve

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

import shop  # noqa: E402
from shop import Client, Failed, expect  # noqa: E402

MODULE = "github.com/traefik/traefik/v3"
VERSION = "v3.6.12"
ADMIN_PORT = 9090


def build_traefik():
    """Builds Traefik in a copy of its module, whose own replacements of modules do not allow `go install`."""
    program = ROOT / "target/souk-tools" / f"traefik-{VERSION}"
    if program.exists():
        return program
    print(f"building Traefik {VERSION}, which takes some minutes", flush=True)
    environment = dict(os.environ, CGO_ENABLED="0", GO111MODULE="on", GOWORK="off", GOFLAGS="")
    with tempfile.TemporaryDirectory() as folder:
        answer = subprocess.run(["go", "mod", "download", "-json", f"{MODULE}@{VERSION}"], cwd=folder, env=environment, capture_output=True, text=True)
        module = json.loads(answer.stdout or "{}")
        expect("Dir" in module, f"cannot download {MODULE}: {module.get('Error') or answer.stderr}")
        source = pathlib.Path(folder, "source")
        shutil.copytree(module["Dir"], source, copy_function=shutil.copyfile)
        subprocess.run(["chmod", "-R", "u+w", str(source)], check=True)
        draft = pathlib.Path(folder, "traefik")
        subprocess.run(["go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o", str(draft), "./cmd/traefik"], cwd=source, env=environment, check=True)
        program.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(draft, program)
    return program


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Traefik:
    """A running Traefik with the files of this folder, in which only addresses differ."""

    def __init__(self, program, containers, folder, docker):
        web, metrics, self.api = free_port(), free_port(), free_port()
        self.web, self.metrics = Client("127.0.0.1", web), Client("127.0.0.1", metrics)
        static = yaml.safe_load((FOLDER / "traefik.yaml").read_text())
        static["entryPoints"]["web"]["address"] = f"127.0.0.1:{web}"
        static["entryPoints"]["metrics"]["address"] = f"127.0.0.1:{metrics}"
        static["entryPoints"]["traefik"] = {"address": f"127.0.0.1:{self.api}"}
        static["api"] = {"insecure": True, "dashboard": False}
        static["providers"]["docker"]["endpoint"] = f"tcp://127.0.0.1:{docker}"
        static["providers"]["file"]["filename"] = str(folder / "dynamic.yaml")
        static["tracing"]["otlp"]["http"]["endpoint"] = f"http://127.0.0.1:{docker}/v1/traces"
        static["tracing"]["sampleRate"] = 1.0
        dynamic = (FOLDER / "dynamic.yaml").read_text()
        for name, address in containers.addresses.items():
            dynamic = dynamic.replace(f"//{name}:", f"//{address}:")
        (folder / "dynamic.yaml").write_text(dynamic)
        (folder / "traefik.yaml").write_text(yaml.safe_dump(static))
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([str(program), f"--configFile={folder / 'traefik.yaml'}"], stdout=log, stderr=log, cwd=folder)

    def get_api(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.api}{path}", timeout=5) as answer:
            return json.load(answer)

    def errors(self):
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        bad = [line for line in lines if line.get("level") in ("warn", "error", "fatal")]
        # Traefik logs this advice at every start, even if it is followed.
        return [line for line in bad if not line["message"].startswith("Traefik can reject some encoded characters")]

    def wait(self, routers):
        """Waits until Traefik has loaded both providers, and fails if it rejects any part of them."""
        deadline = time.monotonic() + 30
        while True:
            try:
                loaded = {router["name"]: router for router in self.get_api("/api/http/routers?per_page=1000")}
                if not (missing := routers - loaded.keys()):
                    break
            except (urllib.error.URLError, ConnectionError):
                missing = routers
            running = self.process.poll() is None
            expect(running and time.monotonic() < deadline, f"Traefik did not load {sorted(missing)}:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.2)
        for kind in ("routers", "middlewares", "services"):
            for part in self.get_api(f"/api/http/{kind}?per_page=1000"):
                expect(part["status"] == "enabled", f"{part['name']}: {part.get('error')}")
        self.no_errors()
        return len(loaded)

    def no_errors(self):
        expect(not (errors := self.errors()), "Traefik logged:\n" + "\n".join(map(json.dumps, errors)))


def routes():
    """The routes of gateway.yaml with the service that each must reach through Traefik."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / "gateway/gateway.yaml").read_text())
    document = (ROOT / "docs/coming-from-kong-and-traefik.md").read_text()
    section = document.split("\n## Routes that stay with Souk's gateway\n")[1].split("\n## ")[0]
    left = {name for line in section.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    for name, route in yaml.safe_load(text)["routes"].items():
        for method in route["match"]["methods"]:
            yield name, method, re.sub(r"\{[^}]*\}", "0198-a.b", route["match"]["path"]), "gateway" if name in left else route["to"]


def check_routes(traefik):
    count = 0
    for name, method, path, service in routes():
        status, _, seen = traefik.web.send(
            method, path, authorization="Bearer operator", x_user_id="forged", X_User_Roles="admin", x_internal_client_address="192.0.2.1",
            x_forwarded_for="192.0.2.1",
        )
        expect(status == 200 and seen["service"] == service and seen["path"] == path, f"{method} {path} ({name}): {status} {seen}, expected {service}")
        expect(seen["headers"]["x-forwarded-for"] == "127.0.0.1", f"{name}: a client can forge its address")
        forged = {"x-user-id", "x-user-roles", "x-internal-client-address"} & seen["headers"].keys()
        # The gateway removes these headers itself.
        expect(service == "gateway" or not forged, f"{name}: clients can send {forged}")
        count += 1
    for method, path in [("GET", "/v1/no-such-path"), ("POST", "/v1/faults"), ("POST", "/internal/v1/api-keys/exchange"), ("GET", "/v1/orders/1/saga/x")]:
        _, _, seen = traefik.web.send(method, path)
        expect(seen["service"] == "gateway", f"{method} {path} reaches {seen['service']}")
    for path, status in [("/metrics", 200), ("/ping", 200), ("/v1/products", 404)]:
        seen = traefik.metrics.send("GET", path)[0]
        expect(seen == status, f"{path} on the port for metrics: {seen}")
    return count


def check_middlewares(traefik):
    _, _, seen = traefik.web.send("GET", "/v1/products", x_api_key="sk_1")
    expect(seen["service"] == "gateway", "a request with an API key reaches a service, which cannot read it")
    for token, status in [("Bearer shopper", 403), ("Bearer operator", 200)]:
        seen = traefik.web.send("GET", "/v1/admin/sagas", authorization=token)[0]
        expect(seen == status, f"/v1/admin/sagas with {token}: {seen}")
    status, headers, _ = traefik.web.send("GET", "/v1/users/me", authorization="Bearer shopper")
    expect(status == 200 and headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff", f"headers: {headers.items()}")
    for size, status in [(65536, 200), (65537, 413)]:
        seen = traefik.web.send("POST", "/v1/orders", body=b"x" * size, authorization="Bearer shopper")[0]
        expect(seen == status, f"a body of {size} bytes: {seen}")
    for origin, allowed in [("http://localhost:8080", "http://localhost:8080"), ("http://example.com", None)]:
        headers = traefik.web.send("GET", "/v1/products", origin=origin)[1]
        expect(headers["access-control-allow-origin"] == allowed, f"CORS for {origin}: {headers.items()}")
    check_quota(120, lambda: traefik.web.send("POST", "/v1/auth/refresh"))
    for token in ("Bearer one", "Bearer two"):
        check_quota(600, lambda: traefik.web.send("GET", "/v1/notifications", authorization=token))


def check_quota(quota, send):
    """Sends requests until one is rejected. While they are sent, the quota is restored at its rate by minute."""
    for count in range(4 * quota):
        if (status := send()[0]) == 429:
            # The other checks have used up a little of it.
            expect(count >= quota - 10, f"request {count} of a quota of {quota} was rejected")
            return
        expect(status == 200, f"request {count} of a quota of {quota}: {status}")
    raise Failed(f"{4 * quota} requests did not exceed the quota of {quota}")


def addresses(state):
    """The address of each process of a running system and of its health endpoint, by name."""
    command = [str(ROOT / "target/debug/xtask"), "status", "--json", "--state", state]
    status = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
    address = lambda url: ("127.0.0.1", int(url.rsplit(":", 1)[1]))
    return {process["name"]: (address(process["url"]), address(process["admin_url"])) for process in status["processes"] if process["admin_url"]}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--state", help="the folder of a running system, such as target/souk: place an order in it through Traefik")
    options = arguments.parse_args()
    program = build_traefik()
    containers = Containers()
    expect("gateway" not in containers.publishing, "the gateway still publishes a port")
    real = addresses(options.state) if options.state else {}
    for name, address in containers.addresses.items():
        if options.state:
            forward((address, containers.port(name)), real[name][0])
            forward((address, ADMIN_PORT), real[name][1])
        else:
            serve((address, containers.port(name)), echo(name))
            serve((address, ADMIN_PORT), echo(name))
    api, receiver = docker_api(containers)
    routers = {f"{key.split('.')[3]}@docker" for labels in containers.labels.values() for key in labels if key.startswith("traefik.http.routers.")}
    with tempfile.TemporaryDirectory() as folder:
        traefik = Traefik(program, containers, pathlib.Path(folder), api.server_port)
        try:
            print(f"Traefik {VERSION} accepts {traefik.wait(routers)} routers")
            if options.state:
                print(f"order {shop.check(traefik.web)} was placed and confirmed through Traefik")
                traefik.no_errors()
            else:
                print(f"{check_routes(traefik)} pairs of method and path reach the right service")
                traefik.no_errors()
                check_middlewares(traefik)
                print("quotas, limits, CORS, headers and the check of operators work")
            deadline = time.monotonic() + 15
            while not receiver.spans:
                expect(time.monotonic() < deadline, "Traefik sent no spans")
                time.sleep(0.2)
        finally:
            traefik.process.terminate()
            traefik.process.wait()


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(str(failure))
