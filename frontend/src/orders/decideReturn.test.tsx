import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import DecideReturn from "./decideReturn";

let sent: { path: string; body: string }[];
let status: number;

const server = setupServer(
  http.post("*/v1/orders/:order/returns/:id/:decision", async ({ request }) => {
    sent.push({ path: new URL(request.url).pathname, body: await request.text() });
    return HttpResponse.json({ type: "https://souk.test/problems/not-awaiting-receipt", detail: "The return is received already." }, { status });
  }),
);
beforeAll(() => server.listen());
afterAll(() => server.close());
afterEach(cleanup);
beforeEach(() => {
  sent = [];
  status = 202;
  render(
    <QueryClientProvider client={new QueryClient()}>
      <DecideReturn order="o1" id="r1" amount={{ amount: 2500, currency: "EUR" }} />
    </QueryClientProvider>,
  );
});

const click = (name: string) => userEvent.click(screen.getAllByRole("button", { name }).at(-1) as HTMLElement);

test("confirming the receipt requires a second click after the amount is shown", async () => {
  await click("Confirm receipt");
  expect(await screen.findByText(/€25.00 will be refunded immediately/)).toBeInTheDocument();
  expect(sent).toEqual([]);
  await click("Confirm receipt");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(sent).toEqual([{ path: "/v1/orders/o1/returns/r1/receipt", body: "" }]);
});

test("refusing a return requires a reason", async () => {
  await click("Refuse return");
  await screen.findByLabelText("Reason");
  await click("Refuse return");
  expect(screen.getByLabelText("Reason")).toBeInvalid();
  expect(sent).toEqual([]);
  await userEvent.type(screen.getByLabelText("Reason"), "The box is empty.");
  await click("Refuse return");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(sent).toEqual([{ path: "/v1/orders/o1/returns/r1/refusal", body: '{"reason":"The box is empty."}' }]);
});

test("shows that another operator has already decided", async () => {
  status = 409;
  await click("Confirm receipt");
  await screen.findByRole("dialog");
  await click("Confirm receipt");
  expect(await screen.findByRole("alert")).toHaveTextContent("The return is received already.");
});
