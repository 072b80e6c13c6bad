import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
/** The flags of every answer. */
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

/** The page's client and telemetry, as new as after a reload. */
async function page() {
  const [{ api, call }, { traced }] = await Promise.all([import("@/api/client"), import(".")]);
  return { traced, ask: () => call(api.GET("/v1/orders")) };
}

/** As long as it would take to begin. */
const soon = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => setTimeout(resolve, 20))));

test("nothing is loaded where the server records nothing, and work is done as it is", async () => {
  flags = "00";
  const { ask, traced } = await page();
  await ask();
  await soon();
  expect(startTracing).not.toHaveBeenCalled();
  expect(await traced("place order", (within) => within(() => Promise.resolve("done")))).toBe("done");
});

test("the first recorded answer brings the tracing, once, and what people do goes through it", async () => {
  flags = "01";
  startTracing.mockReturnValue((name: string, work: (within: unknown) => unknown) => [name, work((send: () => unknown) => send())]);
  const { ask, traced } = await page();
  await Promise.all([ask(), ask()]);
  await vi.waitFor(() => expect(startTracing).toHaveBeenCalled());
  await ask();
  await soon();
  expect(startTracing).toHaveBeenCalledTimes(1);
  expect(await traced("place order", (within) => within(() => Promise.resolve("done")))).toEqual(["place order", expect.anything()]);
});

test("spans are called by routes, not by keys", async () => {
  vi.doUnmock("./tracing");
  const { template } = await import("./tracing");
  expect(
    ["/v1/orders", "/v1/orders/01a20e21-ce6a-77be-99c0-dcc0c05e1c8f/saga", "/v1/cart/items/TEX-0010", "/v1/products/TEX-0010/a1"].map(template),
  ).toEqual(["/v1/orders", "/v1/orders/{id}/saga", "/v1/cart/items/{id}", "/v1/products/{id}/{id}"]);
});
