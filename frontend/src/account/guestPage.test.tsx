import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { session } from "@/session/session";

import { Component as Register } from "./register";
import { Component as SignIn } from "./signIn";

const server = setupServer(http.get("*/v1/payment-methods", () => HttpResponse.json({ items: [] })));
beforeAll(() => server.listen());
afterAll(() => server.close());
beforeEach(() => session.end());
afterEach(() => {
  cleanup();
  server.resetHandlers();
});

const TOKEN = `x.${btoa(JSON.stringify({ sub: "ada", roles: ["customer"] }))}.x`;
const accepted = http.post("*/v1/auth/login", () => HttpResponse.json({ access_token: TOKEN, expires_in: 600 }));
const refused = http.post("*/v1/auth/login", () => HttpResponse.json({ title: "Unauthorized" }, { status: 401 }));
const registered = http.post("*/v1/auth/register", () => HttpResponse.json({ status: "accepted" }, { status: 202 }));

function open(path: string) {
  const router = createMemoryRouter(
    [
      { path: "/sign-in", Component: SignIn },
      { path: "/register", Component: Register },
      { path: "*", Component: () => "the next page" },
    ],
    { initialEntries: [path] },
  );
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return router;
}

async function register(password: string) {
  await userEvent.type(screen.getByLabelText("Name"), "Ada");
  await userEvent.type(screen.getByLabelText("Email"), "ada@souk.test");
  await userEvent.type(screen.getByLabelText("Password"), password);
  await userEvent.click(screen.getByRole("button", { name: "Create an account" }));
}

test("after signing in, the user is redirected to the requested page", async () => {
  server.use(accepted);
  const router = open("/sign-in?next=%2Forders%3Fstatus%3Dpending");
  await userEvent.type(screen.getByLabelText("Email"), "ada@souk.test");
  await userEvent.type(screen.getByLabelText("Password"), "right{Enter}");
  await screen.findByText("the next page");
  expect(router.state.location).toMatchObject({ pathname: "/orders", search: "?status=pending" });
});

test("after too many failures, the button counts down the Retry-After time", async () => {
  server.use(
    http.post("*/v1/auth/login", () =>
      HttpResponse.json({ title: "Too Many Requests" }, { status: 429, headers: { "retry-after": "2" } }),
    ),
  );
  open("/sign-in");
  await userEvent.type(screen.getByLabelText("Email"), "ada@souk.test");
  await userEvent.type(screen.getByLabelText("Password"), "wrong{Enter}");
  expect(await screen.findByRole("button", { name: "Try again in 2 s" })).toBeDisabled();
  expect(screen.getByRole("alert")).toHaveTextContent("Too many failed attempts");
  expect(await screen.findByRole("button", { name: "Sign in" }, { timeout: 4000 })).toBeEnabled();
});

test("a new account that needs no confirmation is signed in at once", async () => {
  server.use(registered, accepted);
  const router = open("/register?next=/checkout");
  await register("a long enough phrase");
  await screen.findByText("the next page");
  expect(router.state.location.pathname).toBe("/checkout");
});

test("if the account needs confirmation or already exists, the page asks to check the email", async () => {
  server.use(registered, refused);
  open("/register");
  await register("a long enough phrase");
  expect(await screen.findByRole("heading", { name: "Check your email" })).toBeInTheDocument();
  expect(screen.getByText(/ada@souk.test/)).toBeInTheDocument();
});

test("a password that the server rejects is explained at its field, which gets the focus", async () => {
  const detail = "is one of the first that an attacker tries; choose another";
  server.use(
    http.post("*/v1/auth/register", () =>
      HttpResponse.json({ title: "Invalid", errors: [{ pointer: "/password", detail }] }, { status: 422 }),
    ),
  );
  open("/register");
  await register("passwordpassword");
  const field = screen.getByLabelText("Password");
  await screen.findByText("This password is too common. Please choose another.");
  expect(field).toHaveAccessibleDescription(expect.stringContaining("This password is too common"));
  expect(field).toHaveFocus();
});

test("a short password is rejected without a request, with the number of missing characters", async () => {
  open("/register");
  await register("zehn🔒zeich");
  expect(await screen.findByText("Please add at least 5 more characters.")).toBeInTheDocument();
});
