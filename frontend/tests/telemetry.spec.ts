import { expect, fillAddress, test } from "./support";

interface Sent {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

/** The part of the body of `POST /v1/traces` that this test reads. */
interface Export {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: Sent[] }[] }[];
}

const PARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$/;

test("a checkout is one trace that starts with the click", async ({ page, api, product, shopper }) => {
  expect(shopper.email).toBeTruthy();
  await api.send("PUT", `/v1/cart/items/${product.sku}`, { quantity: 1 });
  const origin = new URL(test.info().project.use.baseURL ?? "").origin;
  const parents = new Map<string, string | undefined>();
  // Pretend that the server records the trace, with or without a collector.
  await page.route("**/v1/**", async (route) => {
    const request = route.request();
    parents.set(`${request.method()} ${new URL(request.url()).pathname}`, request.headers()["traceparent"]);
    expect(new URL(request.url()).origin).toBe(origin);
    if (/\/(events|traces)$/.test(new URL(request.url()).pathname)) return route.fallback();
    const response = await route.fetch();
    const headers = response.headers();
    await route.fulfill({ response, headers: { ...headers, traceresponse: `${headers["traceresponse"]?.slice(0, -2)}01` } });
  });
  const spans: Sent[] = [];
  await page.route("**/v1/traces", async (route) => {
    const request = route.request();
    parents.set("POST /v1/traces", request.headers()["traceparent"]);
    const { resourceSpans } = request.postDataJSON() as Export;
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    await route.fulfill({ status: 200, json: {} });
  });

  await page.goto("/checkout");
  await fillAddress(page);
  await page.getByRole("button", { name: "Continue to payment" }).click();
  await page.getByRole("radio", { name: "A card that works" }).check();
  await page.getByRole("button", { name: "Continue to review" }).click();
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page).toHaveURL(/\/orders\/[0-9a-f-]{36}$/);
  const order = /[0-9a-f-]{36}/.exec(page.url())?.[0] ?? "";
  const { trace_id } = await api.send<{ trace_id: string }>("GET", `/v1/orders/${order}`);

  const [, trace, parent, flags] = PARENT.exec(parents.get("POST /v1/orders") ?? "") ?? [];
  expect([trace, flags], "the trace of the order starts with the click").toEqual([trace_id, "01"]);
  await expect.poll(() => spans.filter(({ traceId }) => traceId === trace).map((span) => span.name).toSorted()).toEqual([
    "POST /v1/orders",
    "place order",
  ]);
  const [click, request] = ["place order", "POST /v1/orders"].map((named) => spans.find((span) => span.name === named));
  expect(click?.parentSpanId).toBeFalsy();
  expect(request).toMatchObject({ parentSpanId: click?.spanId, spanId: parent });

  // Other requests are separate traces. The event stream and the export are not traced.
  await expect.poll(() => spans.map((span) => span.name)).toContain("GET /v1/orders/{id}");
  expect(spans.filter(({ traceId }) => traceId === trace)).toHaveLength(2);
  expect(parents.get(`GET /v1/orders/${order}/events`), "the stream is not traced").toBeUndefined();
  expect(spans.some((span) => span.name.endsWith("/events"))).toBe(false);
  expect(PARENT.exec(parents.get("POST /v1/traces") ?? "")?.[3]).toBe("00");
});

test("without recording, no tracing code is loaded and no spans are sent", async ({ page, product }) => {
  const traced: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (/tracing|\/v1\/traces/.test(pathname) || request.headers()["traceparent"]) traced.push(pathname);
  });
  let responses = 0;
  await page.route("**/v1/**", async (route) => {
    const response = await route.fetch();
    const headers = response.headers();
    responses += 1;
    await route.fulfill({ response, headers: { ...headers, traceresponse: `${headers["traceresponse"]?.slice(0, -2)}00` } });
  });
  await page.goto(`/products/${product.sku}`);
  await expect(page.getByRole("heading", { level: 1, name: product.name })).toBeVisible();
  await page.goto("/products");
  await page.waitForLoadState("networkidle");
  expect(responses).toBeGreaterThan(1);
  expect(traced).toEqual([]);
});
