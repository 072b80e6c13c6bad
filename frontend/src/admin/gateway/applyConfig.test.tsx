import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { ApplyConfig } from "./applyConfig";

let sent: { type: string | null; body: string }[];
let response: () => Response;

const server = setupServer(
  http.put("*/v1/admin/config", async ({ request }) => {
    sent.push({ type: request.headers.get("content-type"), body: await request.text() });
    return response();
  }),
);
beforeAll(() => server.listen());
afterAll(() => server.close());
afterEach(cleanup);
beforeEach(() => {
  sent = [];
});

function refusal(detail: string): Response {
  return HttpResponse.json({ title: "Invalid", type: "https://souk.test/problems/invalid-request", detail }, { status: 422 });
}

/** Pastes a configuration and presses the button of the form, which opens the dialog. */
async function submit(yaml: string) {
  const field = screen.getByRole("textbox");
  await userEvent.clear(field);
  if (yaml) {
    await userEvent.click(field);
    await userEvent.paste(yaml);
  }
  await userEvent.click(screen.getByRole("button", { name: "Check and apply" }));
}

async function confirm() {
  const dialog = await screen.findByRole("dialog");
  await userEvent.click(within(dialog).getByRole("button", { name: "Check and apply" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
}

test("a pasted configuration is sent unchanged, but only after a confirmation", async () => {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <ApplyConfig />
    </QueryClientProvider>,
  );
  await submit("");
  expect(screen.getByRole("textbox")).toHaveAttribute("aria-invalid", "true");
  expect(screen.queryByRole("dialog")).toBeNull();

  const yaml = 'version: 1\nroutes: {"a": 1}\n';
  await submit(yaml);
  await userEvent.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Cancel" }));
  expect(sent).toEqual([]);

  response = () => refusal("line 2, column 10: unknown field `a`");
  await submit(yaml);
  await confirm();
  expect(sent).toEqual([{ type: "text/yaml", body: yaml }]);
  const alert = screen.getByRole("alert");
  expect(alert).toHaveTextContent("Line 2, column 10: unknown field `a`");
  expect(alert).toHaveTextContent('2 │ routes: {"a": 1}');
  await userEvent.click(screen.getByRole("button", { name: "Go to line 2" }));
  const field: HTMLTextAreaElement = screen.getByRole("textbox");
  expect(field).toHaveFocus();
  expect(yaml.slice(field.selectionStart, field.selectionEnd)).toBe('routes: {"a": 1}');

  response = () => refusal("`listeners` cannot change while the gateway runs");
  await submit(yaml);
  await confirm();
  expect(screen.getByRole("alert")).toHaveTextContent("`listeners` cannot change");
  expect(screen.queryByRole("button", { name: /Go to line/ })).toBeNull();

  response = () => HttpResponse.json({ current: {}, last_attempts: [] });
  await submit(yaml);
  await confirm();
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByRole("textbox")).toHaveValue("");
});
