import { expect, signIn, test } from "./support";

test.beforeEach(async ({ page }) => {
  await signIn(page, "admin@souk.test", "admin-password-souk");
});

test("an operator issues a partial refund", async ({ page, admin, product }, info) => {
  info.annotations.push({ type: "noisy", description: "the browser logs the error response" });
  const order = await admin.order(product.sku, "pm_card_ok", 2);
  await admin.until(order, "confirmed");
  await page.goto(`/admin/payments?order_id=${order}`);
  await page.getByRole("button", { name: /refund/i }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/amount/i).fill("7.50");
  await dialog.getByLabel(/reason/i).fill("a dent in the tin");
  await dialog.getByRole("button", { name: /refund/i }).click();
  await expect(page.getByRole("main")).toContainText("€7.50");
});

test("an operator ships an order", async ({ page, admin, product }) => {
  const order = await admin.order(product.sku, "pm_card_ok");
  await admin.until(order, "confirmed");
  await page.goto("/admin/orders?status=confirmed");
  const row = page.getByRole("row").filter({ hasText: order.slice(-8).toUpperCase() });
  await row.getByRole("button", { name: /ship/i }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/carrier/i).fill("Post");
  await dialog.getByLabel(/tracking/i).fill("SOUK-1");
  await dialog.getByRole("button", { name: /ship/i }).click();
  await admin.until(order, "shipped");
});

test("the audit and the upstreams are shown, also at their former address", async ({ page }) => {
  await page.goto("/admin/audit");
  await expect(page.getByRole("main")).toContainText(/ledger balances/i);
  await page.goto("/admin/upstreams");
  await expect(page).toHaveURL("/admin/gateway/upstreams");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Upstreams");
  await expect(page.getByRole("main")).toContainText("inventory");
  await expect(page.getByRole("main")).toContainText(/closed/i);
});
