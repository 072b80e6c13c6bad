import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, signIn, test } from "./support";

const PAPER = { light: "rgb(250, 247, 242)", dark: "rgb(20, 23, 26)" };

/** No violation of WCAG 2.2 AA that a program can find, in either theme. */
async function check(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  // What is on its way has come.
  await expect(page.locator("main .animate-pulse")).toHaveCount(0);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // The theme has been painted.
    await expect.poll(() => page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(PAPER[colorScheme]);
    const { violations } = await new AxeBuilder({ page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
      .analyze();
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
    expect(found, `${path}, ${colorScheme}`).toEqual([]);
  }
}

for (const path of ["/", "/products", "/products?q=nothing-is-called-so", "/cart", "/checkout", "/orders", "/sign-in", "/register", "/verify#token=unknown", "/resend-verification", "/forgot-password", "/reset-password", "/reset-password#token=unknown", "/nothing/here"]) {
  test(`a guest finds no barrier at ${path}`, async ({ page }) => {
    await check(page, path);
  });
}

test("a shopper finds no barrier from the product to the order", async ({ page, product, api, shopper }) => {
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
    await check(page, path);
  }
});

test("an operator finds no barrier", async ({ page }) => {
  test.setTimeout(240_000);
  await signIn(page, "admin@souk.test", "admin-password-souk");
  for (const section of ["", "/orders", "/stock", "/users", "/payments", "/sagas", "/dead-letters", "/upstreams", "/audit", "/faults"]) {
    await check(page, `/admin${section}`);
  }
});
