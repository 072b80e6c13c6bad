import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { NewKey } from "./newKey";

const server = setupServer();
beforeAll(() => server.listen());
afterEach(() => {
  cleanup();
  server.resetHandlers();
});
afterAll(() => server.close());

interface Sent {
  name: string;
  scopes: string[];
  expires_at: string;
}

function open() {
  const sent: Sent[] = [];
  server.use(
    http.post("*/v1/users/me/api-keys", async ({ request }) => {
      sent.push((await request.json()) as Sent);
      return HttpResponse.json({ key: "souk_ak_secret" }, { status: 201 });
    }),
  );
  render(<NewKey onCreated={() => Promise.resolve()} onDone={() => undefined} />);
  return sent;
}

test("by default a key can read for 90 days; it is shown once", async () => {
  const sent = open();
  expect(screen.getByLabelText("Read")).toBeChecked();
  expect(screen.queryByLabelText("Back office"), "only for operators").not.toBeInTheDocument();
  await userEvent.type(screen.getByLabelText("Name"), "backup");
  await userEvent.click(screen.getByRole("button", { name: "Create API key" }));
  expect(await screen.findByDisplayValue("souk_ak_secret")).toBeInTheDocument();
  expect(sent[0]).toMatchObject({ name: "backup", scopes: ["read"] });
  const days = (Date.parse(sent[0]?.expires_at ?? "") - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(90);
});

test("scopes and lifetime can be chosen, but at least one scope is required", async () => {
  const sent = open();
  await userEvent.type(screen.getByLabelText("Name"), "robot");
  await userEvent.click(screen.getByLabelText("Read"));
  await userEvent.selectOptions(screen.getByLabelText("Valid for"), "7 days");
  await userEvent.click(screen.getByRole("button", { name: "Create API key" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Please choose at least one permission.");
  expect(sent).toEqual([]);
  await userEvent.click(screen.getByLabelText("Order"));
  await userEvent.click(screen.getByRole("button", { name: "Create API key" }));
  await screen.findByDisplayValue("souk_ak_secret");
  expect(sent[0]?.scopes).toEqual(["order"]);
});
