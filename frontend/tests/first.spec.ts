import type { Page, Route } from "@playwright/test";

import { expect, test } from "./support";

/** The times at which this page's requests began, by their addresses. */
async function begun(page: Page): Promise<(part: string) => number> {
  const entries = await page.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name, startTime }) => ({ name, startTime })),
  );
  return (part) => Math.min(...entries.filter(({ name }) => name.includes(part)).map(({ startTime }) => startTime));
}

test("a first visit asks for the page's own code and for the session before the application is there", async ({ page, shopper }) => {
  expect(shopper.email).toBeTruthy();
  // The application comes late, as on a slow line.
  await page.route(/\/assets\/shell-/, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.continue();
  });
  const renewals: string[] = [];
  page.on("request", (request) => request.url().endsWith("/v1/auth/refresh") && renewals.push(request.url()));
  await page.goto("/checkout");
  await expect(page.getByRole("heading", { level: 1, name: "Checkout" })).toBeVisible();
  await expect(page.getByText("There is nothing to order yet")).toBeVisible();
  const at = await begun(page);
  for (const early of ["/assets/checkout-", "/v1/auth/refresh"]) expect(at(early)).toBeLessThan(1500);
  expect(at("/v1/cart")).toBeGreaterThan(1500);
  expect(renewals).toHaveLength(1);
});

test("a page begins while it is being asked who is here, and asks its questions once", async ({ page, shopper }) => {
  expect(shopper.email).toBeTruthy();
  const held: Route[] = [];
  await page.route("**/v1/auth/refresh", (route) => void held.push(route));
  const questions: string[] = [];
  page.on("request", (request) => request.url().includes("/v1/account") && questions.push(request.url()));
  await page.goto("/account", { waitUntil: "commit" });
  await expect(page.getByRole("heading", { level: 1, name: "Your account" })).toBeVisible();
  await expect(page.getByRole("banner").getByRole("button", { name: "Account" })).toBeVisible();
  expect(questions).toEqual([]);
  for (const route of held) await route.continue();
  await expect(page.getByRole("heading", { name: "Hello, Web Test" })).toBeVisible();
  expect(questions).toHaveLength(1);
});
