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

/** The notifications on the server, newest first. */
let stored: Notification[];
let isUnavailable: boolean;
let requestedLanguages: string[];
/** The server responds to a mark as read once this resolves. */
let markResponse: Promise<void>;

function notification(id: string, title: string, order_id?: string): Notification {
  return { id, kind: "order_confirmed", title, text: "Details.", created_at: "2026-11-24T12:00:00Z", ...(order_id && { order_id }) };
}

const server = setupServer(
  http.get("*/v1/notifications", ({ request }) => {
    requestedLanguages.push(request.headers.get("accept-language") ?? "");
    if (isUnavailable) return HttpResponse.json({ title: "Unavailable" }, { status: 503 });
    return HttpResponse.json({ items: stored, next_cursor: null, unread: stored.filter((item) => !item.read_at).length });
  }),
  http.post("*/v1/notifications/:id/read", async ({ params }) => {
    await markResponse;
    if (isUnavailable) return HttpResponse.json({ title: "Unavailable" }, { status: 503 });
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
  // jsdom hides popovers but cannot open them.
  HTMLElement.prototype.hidePopover ??= () => undefined;
  document.head.append(Object.assign(document.createElement("style"), { textContent: "[popover] { display: block !important }" }));
});
afterAll(() => server.close());
beforeEach(() => {
  stored = [notification("b", "Your order is confirmed", "7"), notification("a", "Your order has arrived", "6")];
  isUnavailable = false;
  requestedLanguages = [];
  markResponse = Promise.resolve();
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
const announced = () => [...document.querySelectorAll("[aria-live] p")].map((note) => note.textContent);

test("following a notification marks it as read at once, and a failed request rolls that back", async () => {
  show();
  await count(2);
  expect(unread()).toHaveAttribute("href", "/orders/7");
  let respond: (() => void) | undefined;
  markResponse = new Promise((resolve) => {
    respond = resolve;
  });
  isUnavailable = true;
  fireEvent.click(unread() as HTMLElement);
  await count(1);
  expect(unread()).toBeNull();
  respond?.();
  await count(2);
  expect(announced()).toEqual(["The notification could not be marked as read. Please try again."]);

  isUnavailable = false;
  fireEvent.click(unread() as HTMLElement);
  await waitFor(() => expect(stored[0]?.read_at).toBeTruthy());
  await count(1);
  fireEvent.click(screen.getByRole("button", { name: "Mark all as read" }));
  await screen.findByRole("button", { name: "Notifications" });
  await waitFor(() => expect(stored.every((item) => item.read_at)).toBe(true));
});

test("after an order changes, new notifications appear soon and are announced once, except on that order's page", async () => {
  const queries = show();
  await count(2);
  const order = { id: "8", created_at: "2026-11-24T11:00:00Z" };
  act(() => queries.setQueryData(orderKey("8"), { ...order, status: "pending" }));
  stored = [notification("d", "You get money back", "8"), notification("c", "Your order is confirmed", "8"), ...stored];
  expect(requestedLanguages).toHaveLength(1);
  act(() => queries.setQueryData(orderKey("8"), { ...order, status: "confirmed" }));
  await count(4);
  expect(announced()).toContain("2 new notifications");

  window.history.replaceState(null, "", "/orders/8");
  stored = [notification("e", "Your order is on its way", "8"), ...stored];
  const before = announced().length;
  act(() => queries.setQueryData(orderKey("8"), { ...order, status: "shipped" }));
  await count(5);
  expect(announced()).toHaveLength(before);
});

test("notifications are requested in the page's language", async () => {
  localStorage.setItem("souk.locale", "de");
  show();
  await screen.findByRole("button", { name: "Mitteilungen, 2 ungelesen" });
  expect(requestedLanguages).toEqual(["de"]);
});

test("while the service is unavailable the bell has no number, does not poll, and offers a retry", async () => {
  isUnavailable = true;
  show();
  const retry = await screen.findByRole("button", { name: "Try again" });
  expect(screen.getByRole("button", { name: "Notifications" })).toHaveTextContent("");
  expect(requestedLanguages).toHaveLength(1);
  isUnavailable = false;
  fireEvent.click(retry);
  await count(2);
});
