import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, signIn, test } from "./support";

const PAPER = { light: "rgb(250, 247, 242)", dark: "rgb(20, 23, 26)" };

/** Returns the rules that axe finds violated, each with its elements. */
async function findViolations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

/** Opens a page and expects that axe finds no violation of WCAG 2.2 AA in either theme. */
async function expectAccessible(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  // All content has loaded.
  await expect(page.locator("main .animate-pulse")).toHaveCount(0);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // The theme has been applied.
    await expect.poll(() => page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(PAPER[colorScheme]);
    let violations = await findViolations(page);
    // An element may still be on the way to the colors of this theme. Attempts are counted, because axe needs many seconds on
    // a busy machine.
    for (let attempt = 1; attempt < 4 && violations.length > 0; attempt += 1) {
      await page.waitForTimeout(1000);
      violations = await findViolations(page);
    }
    expect(violations, `${path}, ${colorScheme}`).toEqual([]);
  }
}

for (const path of ["/", "/products", "/products?q=qqqqqq", "/cart", "/checkout", "/orders", "/sign-in", "/register", "/verify#token=unknown", "/resend-verification", "/forgot-password", "/reset-password", "/reset-password#token=unknown", "/nothing/here"]) {
  test(`${path} is accessible for guests`, async ({ page }) => {
    await expectAccessible(page, path);
  });
}

test("the pages from the product to the order are accessible", async ({ page, product, api, shopper }) => {
  test.setTimeout(240_000);
  expect(shopper.email).toBeTruthy();
  await api.send("PUT", `/v1/cart/items/${product.sku}`, { quantity: 2 });
  const confirmed = await api.order(product.sku, "pm_card_ok");
  const undone = await api.order(product.sku, "pm_card_capture_declined");
  await api.until(confirmed, "confirmed");
  await api.until(undone, "rejected");
  for (const path of [
    `/products/${product.sku}`,
    "/cart",
    "/checkout",
    "/orders",
    `/orders/${confirmed}`,
    `/orders/${undone}`,
    `/orders/${undone}/saga`,
    "/account",
    "/account?tab=profile",
    "/account?tab=addresses",
    "/account?tab=keys",
  ]) {
    await expectAccessible(page, path);
  }
});

// Two tests, because on a busy machine each page takes ten seconds and more.
for (const [name, sections] of [
  ["the back office is accessible", ["", "/orders", "/stock", "/users", "/payments", "/sagas", "/dead-letters", "/audit", "/faults"]],
  ["the gateway in the back office is accessible", ["/gateway", "/gateway/routes", "/gateway/upstreams", "/gateway/limits", "/gateway/configuration"]],
] as const) {
  test(name, async ({ page }) => {
    test.setTimeout(240_000);
    await signIn(page, "admin@souk.test", "admin-password-souk");
    for (const section of sections) {
      await expectAccessible(page, `/admin${section}`);
    }
  });
}
