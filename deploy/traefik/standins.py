"""Stand-ins for what surrounds Traefik in a check: Docker's API, and the containers that it lists."""

import http.server
import json
import pathlib
import re
import socket
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Quiet(http.server.BaseHTTPRequestHandler):
    """A handler that logs nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, status, value, headers=()):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in [("content-type", "application/json"), ("content-length", str(len(body))), *headers]:
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def serve(address, handler):
    server = http.server.ThreadingHTTPServer(address, handler)
    # Health checks reset their connections.
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Containers:
    """The services with labels, each with an address of its own."""

    def __init__(self):
        command = ["docker", "compose", "-f", "docker-compose.yml", "-f", "deploy/traefik/compose.yaml", "config", "--format", "json"]
        config = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
        self.labels, self.networks, self.addresses = {}, {}, {}
        self.publishing = {name for name, service in config["services"].items() if service.get("ports")}
        for number, (name, service) in enumerate(sorted(config["services"].items()), 1):
            if labels := service.get("labels"):
                # `config` escapes dollar signs, so that its output is a Compose file again.
                self.labels[name] = {key: str(value).replace("$$", "$") for key, value in labels.items()}
                self.networks[name] = [f"{config['name']}_{network}" for network in service["networks"]]
                self.addresses[name] = f"127.1.0.{number}"

    def port(self, name):
        return int(self.labels[name][f"traefik.http.services.{name}.loadbalancer.server.port"])

    def inspected(self, name):
        address = self.addresses[name]
        # A label that names a network to which the service does not belong leads to a wrong address.
        wanted = self.labels[name]["traefik.docker.network"]
        networks = {network: {"IPAddress": address if network == wanted else "127.1.9.9", "NetworkID": network} for network in self.networks[name]}
        return {
            "Id": name, "Name": f"/{name}", "Created": "2026-01-01T00:00:00Z",
            "State": {"Status": "running", "Running": True, "Health": {"Status": "healthy"}},
            "HostConfig": {"NetworkMode": wanted}, "Config": {"Labels": self.labels[name], "Hostname": name},
            "NetworkSettings": {"Networks": networks, "Ports": {f"{self.port(name)}/tcp": None}},
        }


def docker_api(containers):
    """A stand-in for Docker's API, which also receives the spans of Traefik."""

    class Api(Quiet):
        spans = 0

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            path = re.sub(r"^/v[\d.]+", "", self.path.split("?")[0])
            if path == "/_ping":
                self.answer(200, "OK", [("api-version", "1.44"), ("ostype", "linux")])
            elif path == "/version":
                self.answer(200, {"Version": "28.0.0", "ApiVersion": "1.44", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64"})
            elif path == "/containers/json":
                self.answer(200, [{"Id": name, "Names": [f"/{name}"], "Labels": labels, "State": "running"} for name, labels in containers.labels.items()])
            elif match := re.fullmatch(r"/containers/([\w-]+)/json", path):
                self.answer(200, containers.inspected(match[1]))
            elif path == "/events":
                self.send_response(200)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                self.wfile.flush()
                time.sleep(3600)
            else:
                self.answer(404, {"message": f"no {path} here"})

        def do_POST(self):
            self.body()
            Api.spans += 1
            self.answer(200, {})

    return serve(("127.0.0.1", 0), Api), Api


def echo(service):
    """Answers with the request. The service `users` lists accounts to the token `operator` only, as the real one does."""

    class Echo(Quiet):
        def any(self):
            body = self.body()
            if self.path == "/v1/users?limit=1" and "x-forwarded-method" in self.headers and self.headers["authorization"] != "Bearer operator":
                self.answer(403, {"title": "Forbidden"})
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.answer(200, {"service": service, "path": self.path, "body": len(body), "headers": headers})

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = any

    return Echo


def forward(address, target):
    """Forwards TCP connections."""

    def copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def run():
        while True:
            client, _ = listener.accept()
            try:
                server = socket.create_connection(target)
            except OSError:
                client.close()
                continue
            for pair in ((client, server), (server, client)):
                threading.Thread(target=copy, args=pair, daemon=True).start()

    listener = socket.create_server(address)
    threading.Thread(target=run, daemon=True).start()
