import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { MemoryRouter } from "react-router";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { I18nProvider } from "@/i18n";
import { orderKey } from "@/orders/api";
import { Notes } from "@/ui/live";

import type { Notification } from "./api";
import { Bell } from "./bell";

/** What the server has, newest first. */
let stored: Notification[];
let isAway: boolean;
let asked: string[];
/** Marks are answered once this is over. */
let answering: Promise<void>;

function happened(id: string, title: string, order_id?: string): Notification {
  return { id, kind: "order_confirmed", title, text: "It is so.", created_at: "2026-11-24T12:00:00Z", ...(order_id && { order_id }) };
}

const server = setupServer(
  http.get("*/v1/notifications", ({ request }) => {
    asked.push(request.headers.get("accept-language") ?? "");
    if (isAway) return HttpResponse.json({ title: "Away" }, { status: 503 });
    return HttpResponse.json({ items: stored, next_cursor: null, unread: stored.filter((item) => !item.read_at).length });
  }),
  http.post("*/v1/notifications/:id/read", async ({ params }) => {
    await answering;
    if (isAway) return HttpResponse.json({ title: "Away" }, { status: 503 });
    stored = stored.map((item) => (item.id === params["id"] ? { ...item, read_at: "2026-11-24T12:01:00Z" } : item));
    return new HttpResponse(null, { status: 204 });
  }),
  http.post("*/v1/notifications/read", () => {
    stored = stored.map((item) => ({ read_at: "2026-11-24T12:01:00Z", ...item }));
    return new HttpResponse(null, { status: 204 });
  }),
);
beforeAll(() => {
  server.listen();
  // jsdom knows that a popover is closed, but not how to open one.
  HTMLElement.prototype.hidePopover ??= () => undefined;
  document.head.append(Object.assign(document.createElement("style"), { textContent: "[popover] { display: block !important }" }));
});
afterAll(() => server.close());
beforeEach(() => {
  stored = [happened("b", "Your order is confirmed", "7"), happened("a", "Your order has arrived", "6")];
  isAway = false;
  asked = [];
  answering = Promise.resolve();
});
afterEach(() => {
  cleanup();
  localStorage.clear();
  window.history.replaceState(null, "", "/");
});

function show() {
  const queries = new QueryClient();
  render(
    <QueryClientProvider client={queries}>
      <I18nProvider>
        <MemoryRouter>
          <Bell />
          <Notes />
        </MemoryRouter>
      </I18nProvider>
    </QueryClientProvider>,
  );
  return queries;
}

const count = (unread: number) => screen.findByRole("button", { name: `Notifications, ${unread} unread` });
const unread = () => screen.queryByRole("link", { name: /^Unread:\s*Your order is confirmed/ });
const said = () => [...document.querySelectorAll("[aria-live] p")].map((note) => note.textContent);

test("one that is followed is read at once, and unread again where the server does not take it", async () => {
  show();
  await count(2);
  expect(unread()).toHaveAttribute("href", "/orders/7");
  let answer: (() => void) | undefined;
  answering = new Promise((resolve) => {
    answer = resolve;
  });
  isAway = true;
  fireEvent.click(unread() as HTMLElement);
  await count(1);
  expect(unread()).toBeNull();
  answer?.();
  await count(2);
  expect(said()).toEqual(["That could not be marked as read. Please try again."]);

  isAway = false;
  fireEvent.click(unread() as HTMLElement);
  await waitFor(() => expect(stored[0]?.read_at).toBeTruthy());
  await count(1);
  fireEvent.click(screen.getByRole("button", { name: "Mark all as read" }));
  await screen.findByRole("button", { name: "Notifications" });
  await waitFor(() => expect(stored.every((item) => item.read_at)).toBe(true));
});

test("what an order's move brings is there soon, and said once, but for what the page in view tells itself", async () => {
  const queries = show();
  await count(2);
  const order = { id: "8", created_at: "2026-11-24T11:00:00Z" };
  act(() => queries.setQueryData(orderKey("8"), { ...order, status: "pending" }));
  stored = [happened("d", "You get money back", "8"), happened("c", "Your order is confirmed", "8"), ...stored];
  expect(asked).toHaveLength(1);
  act(() => queries.setQueryData(orderKey("8"), { ...order, status: "confirmed" }));
  await count(4);
  expect(said()).toContain("2 new notifications");

  window.history.replaceState(null, "", "/orders/8");
  stored = [happened("e", "Your order is on its way", "8"), ...stored];
  const before = said().length;
  act(() => queries.setQueryData(orderKey("8"), { ...order, status: "shipped" }));
  await count(5);
  expect(said()).toHaveLength(before);
});

test("the server is asked for the page's language", async () => {
  localStorage.setItem("souk.locale", "de");
  show();
  await screen.findByRole("button", { name: "Mitteilungen, 2 ungelesen" });
  expect(asked).toEqual(["de"]);
});

test("while the service is away there is a plain bell that asks once, and another try in its panel", async () => {
  isAway = true;
  show();
  const retry = await screen.findByRole("button", { name: "Try again" });
  expect(screen.getByRole("button", { name: "Notifications" })).toHaveTextContent("");
  expect(asked).toHaveLength(1);
  isAway = false;
  fireEvent.click(retry);
  await count(2);
});
