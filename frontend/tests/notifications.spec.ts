import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, test } from "./support";

const bell = (page: Page) => page.getByRole("banner").getByRole("button", { name: /^Notifications/ });

/** Expects that axe finds no violation of WCAG 2.2 AA in either theme. */
async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
      .analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`)).toEqual([]);
  }
}

test("the bell shows a confirmed order, links to it, and marks it as read", async ({ page, api, product }) => {
  await page.goto("/products");
  await expect(bell(page)).toBeVisible();
  const order = await api.order(product.sku, "pm_card_ok");
  await api.until(order, "confirmed");
  // The order page has seen the change, so the bell polls faster.
  await page.goto(`/orders/${order}`);
  await bell(page).click();
  const panel = page.getByRole("region", { name: "Notifications" });
  const notification = panel.getByRole("link", { name: /Your order is confirmed/ });
  await expect(notification).toHaveAccessibleName(/^Unread:/, { timeout: 30_000 });
  await expectAccessible(page);

  await page.goto("/products");
  await bell(page).click();
  await expect(notification).toBeVisible();
  const before = Number(/\d+/.exec((await bell(page).getAttribute("aria-label")) ?? "")?.[0]);
  expect(before).toBeGreaterThan(0);
  await notification.click();
  await expect(page).toHaveURL(`/orders/${order}`);
  await expect(panel).toBeHidden();
  await expect(bell(page)).toHaveAccessibleName(before === 1 ? "Notifications" : `Notifications, ${before - 1} unread`);

  // The server has stored that it was read.
  await page.goto("/notifications");
  await expect(page.getByRole("main").getByRole("link", { name: /^Your order is confirmed/ })).toHaveAttribute("href", `/orders/${order}`);
  await expectAccessible(page);
});

test("the list is paginated, translated, and can be marked as read", async ({ page, shopper }) => {
  expect(shopper.email).toBeTruthy();
  const stored = Array.from({ length: 25 }, (_, index) => ({
    id: `01a20e1f-0000-7000-8000-0000000000${10 + index}`,
    kind: "order_shipped",
    title: `Parcel ${index + 1}`,
    text: "With Parcel Co.",
    created_at: new Date(Date.UTC(2026, 0, 25 - index)).toISOString(),
  }));
  let read_at: string | undefined;
  const languages = new Set<string | undefined>();
  await page.route("**/v1/notifications?*", async (route) => {
    languages.add(route.request().headers()["accept-language"]);
    const query = new URL(route.request().url()).searchParams;
    const [from, limit] = [Number(query.get("cursor") ?? 0), Number(query.get("limit"))];
    const items = stored.slice(from, from + limit).map((item) => ({ ...item, ...(read_at && { read_at }) }));
    const next_cursor = from + limit < stored.length ? String(from + limit) : null;
    await route.fulfill({ json: { items, next_cursor, unread: read_at ? 0 : stored.length } });
  });
  await page.route("**/v1/notifications/read", async (route) => {
    read_at = new Date().toISOString();
    await route.fulfill({ status: 204 });
  });
  await page.goto("/notifications");
  const items = page.getByRole("main").getByRole("listitem");
  await expect(items).toHaveCount(20);
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(items).toHaveCount(25);
  await expect(items.last()).toContainText("Parcel 25");
  await expect(page.getByRole("button", { name: "Show more" })).toHaveCount(0);
  await expect(bell(page)).toHaveAccessibleName("Notifications, 25 unread");
  await page.getByRole("main").getByRole("button", { name: "Mark all as read" }).click();
  await expect(bell(page)).toHaveAccessibleName("Notifications");
  await expect(items.filter({ hasText: "Unread" })).toHaveCount(0);

  await page.getByLabel("Language").selectOption("de");
  await expect(page.getByRole("heading", { name: "Mitteilungen", level: 1 })).toBeVisible();
  await expect.poll(() => [...languages]).toEqual(["en", "de"]);
});

test("while notifications are unavailable, only the bell and their page show it", async ({ page, shopper }, info) => {
  info.annotations.push({ type: "noisy", description: "the browser logs each error response" });
  expect(shopper.email).toBeTruthy();
  let requests = 0;
  await page.route("**/v1/notifications?*", async (route) => {
    requests += 1;
    await route.fulfill({ status: 503, json: { type: "/problems/unavailable", title: "Service unavailable" } });
  });
  await page.clock.install();
  await page.goto("/products");
  await expect(bell(page)).toHaveAccessibleName("Notifications");
  await expect.poll(() => requests).toBe(1);
  await page.clock.runFor(120_000);
  expect(requests, "no polling after a failure").toBe(1);
  await expect(page.getByRole("alert")).toHaveCount(0);
  await bell(page).click();
  await expect(page.getByRole("region", { name: "Notifications" })).toContainText("temporarily unavailable");
  await page.goto("/notifications");
  await expect(page.getByRole("alert")).toContainText("temporarily unavailable");
  await expect(page.getByRole("link", { name: "Your orders" })).toBeVisible();
  await page.unroute("**/v1/notifications?*");
  await page.getByRole("button", { name: "Try again" }).last().click();
  await expect(page.getByText("No notifications yet").or(page.getByRole("main").getByRole("listitem").first())).toBeVisible();
});
