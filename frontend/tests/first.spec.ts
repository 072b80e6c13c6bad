import type { Page, Route } from "@playwright/test";

import { expect, test } from "./support";

/** Returns a function that returns when the first request began whose URL contains the given text. */
async function requestTimes(page: Page): Promise<(part: string) => number> {
  const entries = await page.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name, startTime }) => ({ name, startTime })),
  );
  return (part) => Math.min(...entries.filter(({ name }) => name.includes(part)).map(({ startTime }) => startTime));
}

test("the first visit loads the page's code and the session in parallel with the shell", async ({ page, shopper }) => {
  expect(shopper.email).toBeTruthy();
  // The shell is delayed, as on a slow connection.
  await page.route(/\/assets\/shell-/, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.continue();
  });
  const renewals: string[] = [];
  page.on("request", (request) => request.url().endsWith("/v1/auth/refresh") && renewals.push(request.url()));
  await page.goto("/checkout");
  await expect(page.getByRole("heading", { level: 1, name: "Checkout" })).toBeVisible();
  await expect(page.getByText("Your cart is empty")).toBeVisible();
  const at = await requestTimes(page);
  for (const early of ["/assets/checkout-", "/v1/auth/refresh"]) expect(at(early)).toBeLessThan(1500);
  expect(at("/v1/cart")).toBeGreaterThan(1500);
  expect(renewals).toHaveLength(1);
});

test("a page renders while the session is being resumed, and sends its requests once", async ({ page, shopper }) => {
  expect(shopper.email).toBeTruthy();
  const held: Route[] = [];
  await page.route("**/v1/auth/refresh", (route) => void held.push(route));
  const requests: string[] = [];
  page.on("request", (request) => request.url().includes("/v1/account") && requests.push(request.url()));
  await page.goto("/account", { waitUntil: "commit" });
  await expect(page.getByRole("heading", { level: 1, name: "Your account" })).toBeVisible();
  await expect(page.getByRole("banner").getByRole("button", { name: "Account" })).toBeVisible();
  expect(requests).toEqual([]);
  for (const route of held) await route.continue();
  await expect(page.getByRole("heading", { name: "Hello, Web Test" })).toBeVisible();
  expect(requests).toHaveLength(1);
});
