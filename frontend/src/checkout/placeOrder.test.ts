import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { Problem } from "@/problem";

import { type Address, changeDraft, readDraft } from "./draft";
import { changesOf, isFinal, placeOrder } from "./placeOrder";
import { stepOf } from "./stepOf";

const ADDRESS: Address = { name: "Ada", line1: "Street 1", postal_code: "10115", city: "Berlin", country: "DE" };
const OTHER: Address = { ...ADDRESS, city: "Hamburg" };

/** The responses that the server will send, in order. */
let responses: (() => Response)[];
let sent: { key: string | null; body: unknown }[];

const problem = (status: number, kind: string) => () =>
  HttpResponse.json({ type: `https://souk.test/problems/${kind}`, title: kind }, { status });
const accepted = () => HttpResponse.json({ id: "order-1" }, { status: 202 });

const server = setupServer(
  http.post("*/v1/orders", async ({ request }) => {
    sent.push({ key: request.headers.get("idempotency-key"), body: await request.json() });
    return responses.shift()?.() ?? HttpResponse.error();
  }),
);
beforeAll(() => server.listen());
afterAll(() => server.close());
beforeEach(() => {
  responses = [];
  sent = [];
});
afterEach(() => sessionStorage.clear());

const place = () => placeOrder("me", ADDRESS, "pm_card_ok");

test("an attempt without a final response is repeated with the same key and body", async () => {
  responses = [() => HttpResponse.error(), problem(503, "unavailable"), problem(409, "request-in-flight"), accepted];
  for (let failures = 0; failures < 3; failures += 1) {
    await expect(place()).rejects.toBeInstanceOf(Problem);
    expect(readDraft("me").attempt?.key).toBe(sent[0]?.key);
  }
  expect(await place()).toEqual({ id: "order-1" });

  expect(sent).toHaveLength(4);
  expect(new Set(sent.map(({ key }) => key))).toHaveLength(1);
  for (const { body } of sent) expect(body).toEqual({ shipping_address: ADDRESS, payment_method: "pm_card_ok" });
  expect(readDraft("me").attempt).toBeUndefined();
});

test("after a final response, the next attempt uses a new key", async () => {
  responses = [problem(422, "invalid-request"), problem(409, "cart-changed"), accepted, accepted];
  await expect(place()).rejects.toMatchObject({ kind: "invalid-request" });
  await expect(place()).rejects.toMatchObject({ kind: "cart-changed" });
  await place();
  await place();
  expect(new Set(sent.map(({ key }) => key))).toHaveLength(4);
});

test("a change of address or payment discards a pending attempt", async () => {
  changeDraft("me", { address: ADDRESS, payment: "pm_card_ok" });
  await expect(place()).rejects.toMatchObject({ status: 0 });
  expect(readDraft("me").attempt).toBeDefined();
  changeDraft("me", { address: OTHER });
  expect(readDraft("me")).toEqual({ address: OTHER, payment: "pm_card_ok" });
});

test("the draft is kept per tab and per user", () => {
  changeDraft("me", { address: ADDRESS });
  changeDraft("me", { payment: "pm_card_slow" });
  // The stored form, which a reloaded page reads.
  expect(JSON.parse(sessionStorage.getItem("souk.checkout") ?? "")).toEqual({
    user: "me",
    draft: { address: ADDRESS, payment: "pm_card_slow" },
  });
  expect(readDraft("me")).toEqual({ address: ADDRESS, payment: "pm_card_slow" });
  expect(readDraft("you")).toEqual({});
  sessionStorage.setItem("souk.checkout", "{nonsense");
  expect(readDraft("me")).toEqual({});
});

test("a step is accessible once the previous steps are completed", () => {
  const attempt = { key: "k", shipping_address: ADDRESS, payment_method: "pm_card_ok" };
  expect(stepOf(null, { address: ADDRESS })).toBe("address");
  expect(stepOf("review", {})).toBe("address");
  expect(stepOf("review", { address: ADDRESS })).toBe("payment");
  expect(stepOf("review", { address: ADDRESS, payment: "pm" })).toBe("review");
  expect(stepOf("payment", { address: ADDRESS, payment: "pm" })).toBe("payment");
  expect(stepOf(null, { address: ADDRESS, payment: "pm", attempt })).toBe("review");
});

test("changes of the cart are listed by line", () => {
  const before = [
    { sku: "A", quantity: 1 },
    { sku: "B", quantity: 1 },
    { sku: "C", quantity: 1 },
  ];
  const after = [
    { sku: "A", quantity: 1 },
    { sku: "B", quantity: 4 },
    { sku: "D", quantity: 2 },
  ];
  expect(changesOf(before, after)).toEqual([
    { name: "B", before: 1, after: 4 },
    { name: "C", before: 1, after: 0 },
    { name: "D", before: 0, after: 2 },
  ]);
});

test("only a permanent error of the API is final", () => {
  expect(isFinal(new TypeError("a bug"))).toBe(false);
  expect(isFinal(new Problem({ status: 429, kind: "rate-limited", title: "Slow down" }))).toBe(false);
  expect(isFinal(new Problem({ status: 422, kind: "invalid-request", title: "No" }))).toBe(true);
});
