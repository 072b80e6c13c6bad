import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { type Payment, refundableAmount, RefundDialog } from "./refundDialog";

const euros = (amount: number) => ({ amount, currency: "EUR" });
const refund = (amount: number, status: string) => ({ id: status, amount: euros(amount), status });
const payment = {
  id: "payment-1",
  captured: euros(2580),
  refunds: [refund(500, "succeeded"), refund(80, "pending"), refund(900, "failed")],
} as Payment;

let responses: (() => Response)[];
let sent: { key: string | null; body: unknown }[];

const server = setupServer(
  http.post("*/v1/payments/payment-1/refunds", async ({ request }) => {
    sent.push({ key: request.headers.get("idempotency-key"), body: await request.json() });
    return responses.shift()?.() ?? HttpResponse.json({}, { status: 202 });
  }),
);
beforeAll(() => server.listen());
afterAll(() => server.close());
afterEach(cleanup);
beforeEach(() => {
  responses = [];
  sent = [];
});

async function open() {
  const onClose = vi.fn<() => void>();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RefundDialog payment={payment} onClose={onClose} />
    </QueryClientProvider>,
  );
  const amount = await screen.findByLabelText("Amount in EUR");
  const reason = screen.getByLabelText("Reason");
  return { onClose, amount, reason };
}

const send = () => userEvent.click(screen.getByRole("button", { name: "Refund" }));

test("pending refunds reduce the refundable amount, failed ones do not", () => {
  expect(refundableAmount(payment)).toEqual(euros(2000));
});

test("offers the full amount; errors are shown at their fields without a request", async () => {
  const { amount, reason } = await open();
  expect(amount).toHaveValue("20.00");
  await userEvent.clear(amount);
  await userEvent.type(amount, "20.01");
  await send();
  expect(amount).toHaveAccessibleDescription(/At most €20.00/);
  expect(reason).toBeInvalid();
  expect(amount).toHaveFocus();
  expect(sent).toEqual([]);
});

test("an attempt without a final response is repeated with its key, a rejected one gets a new key", async () => {
  responses = [
    () => HttpResponse.error(),
    () => HttpResponse.json({ title: "Bad gateway" }, { status: 502 }),
    () => HttpResponse.json({ title: "More than is left", type: "https://souk.test/problems/too-much" }, { status: 409 }),
  ];
  const { onClose, amount, reason } = await open();
  await userEvent.clear(amount);
  await userEvent.type(amount, "7,5");
  await userEvent.type(reason, "A broken cup");
  for (let failures = 1; failures <= 3; failures += 1) {
    await send();
    await waitFor(() => expect(sent).toHaveLength(failures));
    await screen.findByRole("alert");
    expect(onClose).not.toHaveBeenCalled();
  }
  await send();
  await waitFor(() => expect(onClose).toHaveBeenCalled());

  const keys = sent.map(({ key }) => key);
  expect(new Set(keys.slice(0, 3))).toHaveLength(1);
  expect(keys[3]).not.toBe(keys[0]);
  for (const { body } of sent) expect(body).toEqual({ amount: euros(750), reason: "A broken cup" });
});
