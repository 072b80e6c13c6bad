import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { MemoryRouter } from "react-router";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { Component } from "./verify";

const server = setupServer();
beforeAll(() => server.listen());
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

function show(hash: string) {
  window.location.hash = hash;
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MemoryRouter>
        <Component />
      </MemoryRouter>
    </QueryClientProvider>,
  );
}

test("the token is only sent after a click", async () => {
  const sent: unknown[] = [];
  server.use(
    http.post("*/v1/auth/verify", async ({ request }) => {
      sent.push(await request.json());
      return new HttpResponse(null, { status: 204 });
    }),
  );
  show("#token=souk_vt_abc");
  expect(sent).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Confirm email address" }));
  expect(await screen.findByRole("heading", { name: "Your account is ready" })).toBeInTheDocument();
  expect(sent).toEqual([{ token: "souk_vt_abc" }]);
});

test("a used token shows that the link is no longer valid", async () => {
  server.use(
    http.post("*/v1/auth/verify", () => HttpResponse.json({ title: "Invalid", status: 422 }, { status: 422 })),
  );
  show("#token=old");
  await userEvent.click(screen.getByRole("button", { name: "Confirm email address" }));
  expect(await screen.findByRole("heading", { name: "This link is no longer valid" })).toBeInTheDocument();
});
