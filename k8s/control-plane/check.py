#!/usr/bin/env python3
"""Runs the gateway's service discovery against a real Kubernetes API server, as in a pod of the overlay `local`.

    cargo build --bin gateway
    python3 k8s/control-plane/check.py

It needs Linux, Go 1.24 or newer, kubectl and OpenSSL. Go builds etcd and the API server from their modules into
target/control-plane, which takes minutes the first time. Both serve on this machine only. The overlay is applied to them, and
the gateway gets what the kubelet gives to its pod: the settings, the variables that name the API server, and the token and the
certificate at their usual path, which the script provides in a mount namespace of the gateway. No kubelet and no controller
runs, so the script writes the EndpointSlices itself.
"""

import argparse
import contextlib
import http.server
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
TOOLS = ROOT / "target/control-plane"
ETCD = "go.etcd.io/etcd/server/v3"
API_SERVER = "k8s.io/kubernetes/cmd/kube-apiserver"
ACCOUNT = "/run/secrets/kubernetes.io/serviceaccount"
NAMESPACE = "souk"
TIMEOUT = 30


def build(package, name):
    target = TOOLS / name
    if not target.exists():
        print(f"building {name}", flush=True)
        TOOLS.mkdir(parents=True, exist_ok=True)
        draft = TOOLS / f"{name}.draft"
        command = ["nice", "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", str(draft), package]
        subprocess.run(command, cwd=FOLDER, env={**os.environ, "CGO_ENABLED": "0"}, check=True)
        draft.rename(target)
    return str(target)


def free_port(host="127.0.0.1"):
    with socket.socket() as listener:
        listener.bind((host, 0))
        return listener.getsockname()[1]


def own_address():
    """An address of this machine. EndpointSlices may not contain loopback addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # A documentation address (RFC 5737). Nothing is sent.
        probe.connect(("198.51.100.1", 9))
        return probe.getsockname()[0]


def until(what, condition):
    deadline = time.monotonic() + TIMEOUT
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"FAILED: {what}: not within {TIMEOUT} s")
        time.sleep(0.05)
    return value


@contextlib.contextmanager
def process(command, log, **options):
    with open(log, "ab") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **options)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


class ControlPlane:
    """etcd and the API server, with their state in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.etcd_port, self.peer_port, self.port = free_port(), free_port(), free_port()
        self.admin = secrets.token_urlsafe()
        (folder / "tokens.csv").write_text(f'{self.admin},admin,admin,"system:masters"\n')
        key = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(folder / "accounts.key")]
        subprocess.run(key, check=True, capture_output=True)

    def etcd(self):
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.peer_port}"
        return process(
            [build(ETCD, "etcd"), f"--data-dir={self.folder / 'etcd'}", f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
             f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}"],
            self.folder / "etcd.log")

    def api_server(self):
        return process(
            [build(API_SERVER, "kube-apiserver"), f"--etcd-servers=http://127.0.0.1:{self.etcd_port}", "--bind-address=127.0.0.1",
             f"--secure-port={self.port}", f"--cert-dir={self.folder}", "--authorization-mode=RBAC",
             f"--token-auth-file={self.folder / 'tokens.csv'}", "--service-account-issuer=https://kubernetes.default.svc",
             f"--service-account-key-file={self.folder / 'accounts.key'}", f"--service-account-signing-key-file={self.folder / 'accounts.key'}",
             "--service-cluster-ip-range=10.96.0.0/16"],
            self.folder / "api-server.log")

    @property
    def certificate(self):
        """The server signs its own certificate."""
        return self.folder / "apiserver.crt"

    def kubectl(self, *arguments, text=None, fails=False):
        command = ["kubectl", f"--server=https://127.0.0.1:{self.port}", f"--token={self.admin}", f"--certificate-authority={self.certificate}",
                   f"--cache-dir={self.folder / 'cache'}", "--kubeconfig=/dev/null", *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if done.returncode and not fails:
            raise SystemExit(f"FAILED: kubectl {' '.join(arguments)}: {done.stderr}")
        return None if done.returncode else done.stdout

    def until_ready(self):
        until("the API server is ready", lambda: self.kubectl("get", "--raw", "/readyz", fails=True))

    def slice(self, service, name, port, endpoints):
        """Writes an EndpointSlice; endpoints are addresses with whether they are ready."""
        self.kubectl("apply", "--server-side", "-f", "-", text=json.dumps({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv4",
            "ports": [{"name": "admin", "port": 9090}, {"name": "http", "port": port}],
            "endpoints": [{"addresses": [address], "conditions": {"ready": ready}} for address, ready in endpoints]}))


class Gateway:
    """The gateway as in its pod, with the token of a service account."""

    def __init__(self, plane, program, account, port):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=plane.folder))
        mounted = self.folder / "serviceaccount"
        mounted.mkdir()
        (mounted / "token").write_text(plane.kubectl("create", "token", account, f"--namespace={NAMESPACE}"))
        (mounted / "namespace").write_text(NAMESPACE)
        shutil.copy(plane.certificate, mounted / "ca.crt")
        settings = json.loads(plane.kubectl("get", "configmaps", f"--namespace={NAMESPACE}", "--output=json"))["items"]
        # Generated ConfigMaps have the hash of their content in their names.
        found = [item["data"] for item in settings if "SOUK_GATEWAY_CONFIG" in item.get("data", {})]
        self.edge, self.log = f"127.0.0.1:{free_port()}", self.folder / "gateway.log"
        environment = {
            **found[0],
            "PATH": os.environ["PATH"],
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(plane.port),
            "SOUK_GATEWAY_CONFIG": str(ROOT / "gateway/gateway.yaml"),
            "SOUK_EDGE_ADDR": self.edge,
            "SOUK_ADMIN_ADDR": f"127.0.0.1:{free_port()}",
            "SOUK_STOREFRONT": str(self.folder),
            "SOUK_INVENTORY_ADDR": f"inventory:{port}",
            "SOUK_LOG": "json",
        }
        script = f'mount -t tmpfs none /run && mkdir -p {ACCOUNT} && mount --bind "$1" {ACCOUNT} && exec "$2"'
        command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", str(mounted), program]
        self.running = process(command, self.log, env=environment)

    def lines(self):
        for line in self.log.read_text().splitlines():
            with contextlib.suppress(ValueError):
                yield json.loads(line)

    def instances(self):
        """What the gateway has logged last about the instances of inventory."""
        known = "[]"
        for line in self.lines():
            fields = line.get("fields", line)
            if fields.get("upstream") == "inventory" and "instances" in fields:
                known = fields["instances"]
        return sorted(filter(None, known.strip("[]").split(", ")))

    def until_known(self, *addresses):
        until(f"the gateway knows {list(addresses)}", lambda: self.instances() == sorted(addresses))

    def until_warned(self, text):
        return until(f"the gateway logs `{text}`", lambda: [line for line in self.lines() if text in json.dumps(line)])

    def get(self):
        try:
            with urllib.request.urlopen(f"http://{self.edge}/v1/products", timeout=5) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None


class Inventory(http.server.BaseHTTPRequestHandler):
    """Stands in for the inventory service."""

    def do_GET(self):
        body = b'{"items":[]}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def passed(what):
    print(f"passed: {what}", flush=True)


def check_endpoints(plane, gateway, address, port):
    here, other = f"{address}:{port}", f"192.0.2.77:{port}"
    until("the gateway responds", lambda: gateway.get() == 503)
    passed("without endpoints, requests get 503")
    plane.slice("inventory", "inventory-a", port, [(address, True), ("192.0.2.77", False)])
    gateway.until_known(here)
    until("requests are forwarded", lambda: gateway.get() == 200)
    passed("a new endpoint gets requests, and one that is not ready gets none")
    plane.slice("inventory", "inventory-a", port, [(address, True), ("192.0.2.77", True)])
    gateway.until_known(here, other)
    passed("an endpoint that becomes ready is added")
    plane.slice("orders", "orders-a", 8082, [("192.0.2.78", True)])
    plane.kubectl("delete", "endpointslice", "inventory-a", f"--namespace={NAMESPACE}")
    gateway.until_known()
    until("no request is forwarded", lambda: gateway.get() == 503)
    passed("deleted endpoints are removed, and those of other services do not matter")


def check_outage(plane, gateway, address, port, start, stop):
    plane.slice("inventory", "inventory-b", port, [(address, True)])
    gateway.until_known(f"{address}:{port}")
    stop()
    gateway.until_warned("service discovery failed")
    assert gateway.get() == 200, "requests fail without the API server"
    start()
    plane.until_ready()
    plane.slice("inventory", "inventory-c", port, [("192.0.2.79", True)])
    gateway.until_known(f"{address}:{port}", f"192.0.2.79:{port}")
    passed("known endpoints stay while the API server is down, and changes are noticed when it is back")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--gateway", default=str(ROOT / "target/debug/gateway"), help="the gateway's program")
    arguments.add_argument("--keep", action="store_true", help="keep the logs")
    options = arguments.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="souk-control-plane-"))
    try:
        run(ControlPlane(folder), options.gateway)
    except BaseException:
        options.keep = True
        raise
    finally:
        if options.keep:
            print(f"logs are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)


def run(plane, program):
    address = own_address()
    server = http.server.ThreadingHTTPServer((address, 0), Inventory)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    with contextlib.ExitStack() as stack:
        stack.enter_context(plane.etcd())
        api = contextlib.ExitStack()
        stack.callback(api.close)

        def start():
            api.enter_context(plane.api_server())

        start()
        plane.until_ready()
        plane.kubectl("apply", "--server-side", "-k", str(ROOT / "k8s/overlays/local"))
        passed("the API server accepts the overlay `local`")
        gateway = Gateway(plane, program, "gateway", port)
        stack.enter_context(gateway.running)
        check_endpoints(plane, gateway, address, port)
        check_outage(plane, gateway, address, port, start, api.close)
        other = Gateway(plane, program, "users", port)
        with other.running:
            line = other.until_warned("403 Forbidden")[0]
            assert "system:serviceaccount:souk:users" in json.dumps(line), line
            assert other.instances() == [], other.instances()
        passed("the token of another account is refused, and the gateway logs why")


if __name__ == "__main__":
    main()
