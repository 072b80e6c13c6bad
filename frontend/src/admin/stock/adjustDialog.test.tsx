import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { AdjustDialog } from "./adjustDialog";
import type { Product } from "./productDialogs";

const levels = { sku: "TEA", on_hand: 5, available: 5, held: 0, committed: 0, restocked: 0 };

const problem = (kind: string) => ({ title: kind, type: `https://souk.test/problems/${kind}` });

let responses: (() => Response)[];
let sent: { key: string | null; body: unknown }[];

const server = setupServer(
  http.post("*/v1/products/TEA/stock-adjustments", async ({ request }) => {
    sent.push({ key: request.headers.get("idempotency-key"), body: await request.json() });
    return responses.shift()?.() ?? HttpResponse.json(levels);
  }),
);
beforeAll(() => server.listen());
afterAll(() => server.close());
afterEach(cleanup);
beforeEach(() => {
  responses = [];
  sent = [];
});

test("an attempt without a final response is repeated with its key, a rejected one gets a new key", async () => {
  responses = [
    () => HttpResponse.error(),
    () => HttpResponse.json(problem("request-in-flight"), { status: 409 }),
    () => HttpResponse.json(problem("unavailable"), { status: 503 }),
    () => HttpResponse.json(problem("insufficient-stock"), { status: 409 }),
  ];
  const onClose = vi.fn<() => void>();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <AdjustDialog product={{ sku: "TEA", name: "Green Tea" } as Product} onClose={onClose} />
    </QueryClientProvider>,
  );
  const [delta, reason] = await screen.findAllByRole("textbox");
  await userEvent.type(delta!, "+5");
  await userEvent.type(reason!, "Delivery");
  const submit = screen.getAllByRole("button").find((button) => button.getAttribute("type") === "submit");
  for (let failures = 1; failures <= 4; failures += 1) {
    await userEvent.click(submit!);
    await waitFor(() => expect(sent).toHaveLength(failures));
    await screen.findByRole("alert");
    expect(onClose).not.toHaveBeenCalled();
  }
  await userEvent.click(submit!);
  await waitFor(() => expect(onClose).toHaveBeenCalled());

  const keys = sent.map(({ key }) => key);
  expect(new Set(keys.slice(0, 4)).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(keys[4]).not.toBe(keys[0]);
  for (const { body } of sent) expect(body).toEqual({ delta: 5, reason: "Delivery" });
});
