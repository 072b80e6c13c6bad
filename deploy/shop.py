#!/usr/bin/env python3
"""Uses the shop at an address as the storefront does: reads the catalog, logs in, and places an order.

    deploy/shop.py http://localhost:8080

It needs a demo, with its public accounts. The address may be that of Souk's gateway, or of a proxy in front of it.
"""

import http.client
import json
import sys
import time
import urllib.parse
import uuid


class Failed(Exception):
    """A check has failed; the text says which."""


def expect(condition, text):
    if not condition:
        raise Failed(text)


class Client:
    """Sends requests to one address."""

    def __init__(self, host, port):
        self.host, self.port = host, port

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=20)

    def send(self, method, path, body=None, **headers):
        """Sends a request; returns status, headers and body. `x_y` in the names of headers stands for `x-y`."""
        connection = self.connect()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, dict):
            body, headers["content-type"] = json.dumps(body), "application/json"
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        try:
            return answer.status, answer.headers, json.loads(text)
        except ValueError:
            return answer.status, answer.headers, text

    def succeed(self, method, path, body=None, statuses=(200,), **headers):
        """Sends a request that must get one of the statuses; returns the body."""
        status, _, answer = self.send(method, path, body, **headers)
        expect(status in statuses, f"{method} {path}: {status} {answer}")
        return answer

    def login(self, email, password):
        """Returns the value of the header `authorization`."""
        answer = self.succeed("POST", "/v1/auth/login", {"email": email, "password": password})
        return f"Bearer {answer['access_token']}"


def check_access(client, shopper, operator):
    """Requests with no token, a wrong token, or the token of the wrong account are rejected."""
    client.succeed("GET", "/v1/users/me", statuses=(401,))
    client.succeed("GET", "/v1/users/me", statuses=(401, 403), authorization=shopper[:-8] + "AAAAAAAA")
    client.succeed("GET", "/v1/users/me", authorization=shopper)
    for path in ("/v1/admin/sagas", "/v1/admin/upstreams"):
        client.succeed("GET", path, statuses=(401,))
        client.succeed("GET", path, statuses=(403,), authorization=shopper)
        client.succeed("GET", path, authorization=operator)
    client.succeed("POST", "/internal/v1/api-keys/exchange", {"key": "sk_1"}, statuses=(404,))


def buy(client, shopper):
    """Buys one item, and returns the id of the confirmed order."""
    product = client.succeed("GET", "/v1/products?in_stock=true&limit=20")["items"][0]
    sku = product["sku"]
    available = client.succeed("GET", f"/v1/products/{sku}/availability")
    expect(available.get("sku") == sku, f"availability, from gRPC: {available}")
    client.succeed("PUT", f"/v1/cart/items/{sku}", {"quantity": 1}, authorization=shopper)
    cart = client.succeed("GET", "/v1/cart", authorization=shopper)
    names = [item["product"]["name"] for item in cart["items"]]
    expect(product["name"] in names, f"the joined cart: {cart}")
    order = {
        "items": [{"sku": sku, "quantity": 1}],
        "shipping_address": {"name": "Demo Shopper", "line1": "1 Market Street", "city": "Berlin", "postal_code": "10115", "country": "DE"},
        "payment_method": "pm_card_ok",
    }
    order = client.succeed("POST", "/v1/orders", order, statuses=(202,), authorization=shopper, idempotency_key=str(uuid.uuid4()))
    path = f"/v1/orders/{order['id']}"
    deadline = time.monotonic() + 30
    while (status := client.succeed("GET", path, authorization=shopper)["status"]) == "pending":
        expect(time.monotonic() < deadline, f"order {order['id']} is still {status}")
        time.sleep(0.2)
    expect(status == "confirmed", f"order {order['id']} is {status}")
    # The stream stays open, so a proxy that waits for its end would deliver nothing.
    stream = client.connect()
    stream.request("GET", f"{path}/events", headers={"authorization": shopper, "accept": "text/event-stream"})
    expect(stream.getresponse().fp.readline(), "the stream of the order's events is empty")
    stream.close()
    return order["id"]


def check(client):
    """Runs all checks; returns the id of the order that they placed."""
    page = client.succeed("GET", "/")
    expect(b"<html" in page, f"the storefront: {page[:200]}")
    shopper = client.login("demo@souk.test", "demo-password-souk")
    operator = client.login("admin@souk.test", "admin-password-souk")
    check_access(client, shopper, operator)
    return buy(client, shopper)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    url = urllib.parse.urlsplit(sys.argv[1])
    try:
        print(f"order {check(Client(url.hostname, url.port or 80))} was placed and confirmed")
    except (Failed, OSError) as failure:
        sys.exit(str(failure))
