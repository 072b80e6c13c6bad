import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { JoinedOrder } from "./api";
import { CancelButton } from "./cancelDialog";
import { ReturnButton } from "./returnDialog";
import { checkout, sagaOf, step } from "./sagas.fake";

vi.mock("@/session/session", () => ({
  session: { token: () => Promise.resolve("token"), renew: () => Promise.resolve(undefined) },
}));

let responses: Response[];
let requests: { url: string; key: string | null; body: unknown }[];

const problem = (status: number, kind: string) =>
  Response.json({ type: `/problems/${kind}`, title: kind, detail: `It is ${kind}.`, trace_id: "t" }, { status });

beforeEach(() => {
  responses = [];
  requests = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    requests.push({
      url: new URL(request.url).pathname,
      key: request.headers.get("idempotency-key"),
      body: await request.json(),
    });
    return responses.shift() ?? problem(500, "unexpected");
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const price = (amount: number) => ({ amount, currency: "EUR" });
const order = (part: Partial<JoinedOrder>) =>
  ({
    id: "o1",
    status: "confirmed",
    total: price(3000),
    returns: [],
    lines: [
      { sku: "a", name: "Tea", quantity: 2, unit_price: price(1000), line_total: price(2000) },
      { sku: "b", name: "Cup", quantity: 1, unit_price: price(1000), line_total: price(1000) },
    ],
    ...part,
  }) as unknown as JoinedOrder;

function show(what: ReactNode) {
  render(<QueryClientProvider client={new QueryClient()}>{what}</QueryClientProvider>);
  return userEvent.setup();
}

it("explains that it is too late to cancel", async () => {
  const saga = sagaOf(checkout.map((name) => step(name)));
  const user = show(<CancelButton order={order({ status: "pending", saga })} />);
  await user.click(screen.getByRole("button", { name: "Cancel order" }));
  await user.type(await screen.findByLabelText("Reason (optional)"), " too slow ");
  responses.push(problem(409, "too-late"));
  const dialog = await screen.findByRole("dialog");
  await user.click([...dialog.querySelectorAll("button")].find(({ type }) => type === "submit")!);
  expect(await screen.findByRole("alert")).toHaveTextContent(/can no longer be cancelled/);
  expect(requests).toEqual([{ url: "/v1/orders/o1/cancel", key: null, body: { reason: "too slow" } }]);
});

it("offers to cancel only until the card is charged", () => {
  const at = (state: "pending" | "running", status = "running") =>
    order({ status: "pending", saga: sagaOf(checkout.map((name) => step(name, name === "capture_payment" ? { state } : {})), { status }) });
  show(
    <>
      <CancelButton order={at("running")} />
      <CancelButton order={at("pending", "compensating")} />
      <CancelButton order={order({ status: "confirmed" })} />
    </>,
  );
  expect(screen.queryByRole("button")).toBeNull();
});

it("validates a return, and reuses the idempotency key only for the same content", async () => {
  const user = show(<ReturnButton order={order({})} />);
  await user.click(screen.getByRole("button", { name: "Return items" }));
  const send = () => user.click(screen.getByRole("button", { name: /^Return for/ }));
  await send();
  expect(screen.getByRole("alert")).toHaveTextContent("Please choose at least one item.");
  expect(screen.getByLabelText("Quantity of Tea", { selector: "input" })).toHaveFocus();
  await user.click(screen.getAllByRole("button", { name: /increase/i })[0]!);
  await send();
  expect(screen.getByLabelText("Reason for the return")).toHaveFocus();
  expect(requests).toEqual([]);

  await user.type(screen.getByLabelText("Reason for the return"), "cracked");
  responses.push(problem(503, "down"), problem(503, "down"), problem(503, "down"));
  await send();
  expect(await screen.findByRole("alert")).toHaveTextContent("It is down.");
  await send();
  await user.click(screen.getAllByRole("button", { name: /increase/i })[0]!);
  expect(screen.getByRole("button", { name: "Return for €20.00" })).toBeInTheDocument();
  await send();
  expect(requests.map(({ body }) => body)).toEqual([
    { lines: [{ sku: "a", quantity: 1 }], reason: "cracked" },
    { lines: [{ sku: "a", quantity: 1 }], reason: "cracked" },
    { lines: [{ sku: "a", quantity: 2 }], reason: "cracked" },
  ]);
  const [first, second, third] = requests.map(({ key }) => key);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(second).toBe(first);
  expect(third).not.toBe(first);
});
