import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { Component as ForgotPassword } from "./forgotPassword";
import { Component as ResendVerification } from "./resendVerification";
import { Component as ResetPassword } from "./resetPassword";

const server = setupServer(http.get("*/v1/payment-methods", () => HttpResponse.json({ items: [] })));
beforeAll(() => server.listen());
afterEach(() => {
  cleanup();
  server.resetHandlers();
});
afterAll(() => server.close());

const PASSWORD = "a long enough phrase";

function open(path: string, hash = "") {
  window.location.hash = hash;
  const router = createMemoryRouter(
    [
      { path: "/forgot-password", Component: ForgotPassword },
      { path: "/resend-verification", Component: ResendVerification },
      { path: "/reset-password", Component: ResetPassword },
      { path: "*", Component: () => "another page" },
    ],
    { initialEntries: [path] },
  );
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
}

function respondTo(path: string, status: number, body: object = {}) {
  const sent: unknown[] = [];
  server.use(
    http.post(`*${path}`, async ({ request }) => {
      sent.push(await request.json());
      return status === 204 ? new HttpResponse(null, { status }) : HttpResponse.json(body, { status });
    }),
  );
  return sent;
}

test.each([
  ["/forgot-password", "/v1/auth/password-reset", "Send link"],
  ["/resend-verification", "/v1/auth/verification-mail", "Resend confirmation email"],
])("%s requests an email and does not reveal whether an account exists", async (page, path, button) => {
  const sent = respondTo(path, 202, { status: "accepted" });
  open(page);
  await userEvent.type(screen.getByLabelText("Email"), "invalid");
  await userEvent.click(screen.getByRole("button", { name: button }));
  expect(await screen.findByText("Please enter a valid email address.")).toBeInTheDocument();
  expect(sent).toEqual([]);
  await userEvent.clear(screen.getByLabelText("Email"));
  await userEvent.type(screen.getByLabelText("Email"), "ada@souk.test{Enter}");
  expect(await screen.findByRole("heading", { name: "Check your email" })).toBeInTheDocument();
  expect(screen.getByText(/^If .*ada@souk.test/)).toBeInTheDocument();
  expect(sent).toEqual([{ email: "ada@souk.test" }]);
});

test("the link's token is sent with the new password", async () => {
  const sent = respondTo("/v1/auth/password-reset/confirm", 204);
  open("/reset-password", "#token=souk_pr_abc");
  await userEvent.type(screen.getByLabelText("New password"), `${PASSWORD}{Enter}`);
  expect(await screen.findByRole("heading", { name: "Password changed" })).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Sign in" })).toHaveAttribute("href", "/sign-in");
  expect(sent).toEqual([{ token: "souk_pr_abc", password: PASSWORD }]);
});

test("a used link offers to request a new one", async () => {
  const errors = [{ pointer: "/token", detail: "is not valid, or no longer" }];
  respondTo("/v1/auth/password-reset/confirm", 422, { title: "Invalid", errors });
  open("/reset-password", "#token=old");
  await userEvent.type(screen.getByLabelText("New password"), `${PASSWORD}{Enter}`);
  expect(await screen.findByRole("heading", { name: "This link is no longer valid" })).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Request a new link" })).toHaveAttribute("href", "/forgot-password");
});

test("a page without a token offers to request a new link", () => {
  open("/reset-password");
  expect(screen.getByRole("heading", { name: "This link is no longer valid" })).toBeInTheDocument();
});

test("a password that the server rejects is explained at its field, and the link stays valid", async () => {
  const errors = [{ pointer: "/password", detail: "is one of the first that an attacker tries; choose another" }];
  respondTo("/v1/auth/password-reset/confirm", 422, { title: "Invalid", errors });
  open("/reset-password", "#token=souk_pr_abc");
  await userEvent.type(screen.getByLabelText("New password"), "passwordpassword{Enter}");
  expect(await screen.findByText("This password is too common. Please choose another.")).toBeInTheDocument();
  expect(screen.getByLabelText("New password")).toHaveFocus();
});
