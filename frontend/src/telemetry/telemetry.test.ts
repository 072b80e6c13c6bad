import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
/** The trace flags of every response. */
let flags: string;
const startTracing = vi.fn<() => unknown>();
const server = setupServer(
  http.get("*/v1/orders", () => HttpResponse.json({ items: [] }, { headers: { traceresponse: `00-${TRACE}-00f067aa0ba902b7-${flags}` } })),
);

beforeAll(() => server.listen());
afterAll(() => server.close());
beforeEach(() => {
  vi.resetModules();
  startTracing.mockReset();
  vi.doMock("./tracing", () => ({ startTracing }));
});
afterEach(() => vi.doUnmock("./tracing"));

/** Loads the API client and the telemetry with fresh state, as after a reload. */
async function reload() {
  const [{ api, call }, { traced }] = await Promise.all([import("@/api/client"), import(".")]);
  return { traced, request: () => call(api.GET("/v1/orders")) };
}

/** Waits longer than tracing needs to start. */
const settle = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => setTimeout(resolve, 20))));

test("without recording nothing is loaded, and traced work runs unchanged", async () => {
  flags = "00";
  const { request, traced } = await reload();
  await request();
  await settle();
  expect(startTracing).not.toHaveBeenCalled();
  expect(await traced("place order", (within) => within(() => Promise.resolve("done")))).toBe("done");
});

test("the first recorded response loads tracing once, and actions are traced from then on", async () => {
  flags = "01";
  startTracing.mockReturnValue((name: string, work: (within: unknown) => unknown) => [name, work((send: () => unknown) => send())]);
  const { request, traced } = await reload();
  await Promise.all([request(), request()]);
  await vi.waitFor(() => expect(startTracing).toHaveBeenCalled());
  await request();
  await settle();
  expect(startTracing).toHaveBeenCalledTimes(1);
  expect(await traced("place order", (within) => within(() => Promise.resolve("done")))).toEqual(["place order", expect.anything()]);
});

test("span names contain routes and no ids", async () => {
  vi.doUnmock("./tracing");
  const { template } = await import("./tracing");
  expect(
    ["/v1/orders", "/v1/orders/01a20e21-ce6a-77be-99c0-dcc0c05e1c8f/saga", "/v1/cart/items/TEX-0010", "/v1/products/TEX-0010/a1"].map(template),
  ).toEqual(["/v1/orders", "/v1/orders/{id}/saga", "/v1/cart/items/{id}", "/v1/products/{id}/{id}"]);
});
