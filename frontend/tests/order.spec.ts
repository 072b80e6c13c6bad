import type { Page } from "@playwright/test";

import { expect, PASSWORD, register, signIn, test } from "./support";

const expectText = (page: Page, text: RegExp | string) =>
  expect(page.getByRole("main")).toContainText(text);

test("a declined charge is explained, and all steps are undone", async ({ page, api, product }) => {
  const order = await api.order(product.sku, "pm_card_capture_declined", 2);
  await page.goto(`/orders/${order}/saga`);
  await expectText(page, "Card could not be charged");
  await expectText(page, "You were not charged, and 2 items are back in stock.");
  // Every completed step was undone, in reverse order.
  await expect(page.getByRole("listitem").filter({ hasText: "Undone" })).toHaveCount(3);
  await expect(page.getByText("Point of no return").first()).toBeVisible();
  await expect(page.getByRole("link", { name: /Jaeger/ })).toHaveAttribute("href", /:16686\/trace\/[0-9a-f]{32}$/);
});

test("the live view of a checkout resumes after a network failure", async ({ page, context, api, product }, info) => {
  info.annotations.push({ type: "noisy", description: "the browser logs the network failure" });
  await page.goto("/orders");
  const order = await api.order(product.sku, "pm_card_slow");
  const resumed: string[] = [];
  page.on("request", (request) => {
    const last = request.headers()["last-event-id"];
    if (request.url().endsWith("/events") && last) resumed.push(last);
  });
  await page.goto(`/orders/${order}/saga`);
  await expectText(page, /Live/);
  await context.setOffline(true);
  await expect(page.getByRole("status").filter({ hasText: "offline" })).toBeVisible();
  await api.until(order, "confirmed");
  await context.setOffline(false);
  await expectText(page, "Order confirmed");
  // The stream resumed after the last event.
  expect(resumed.length).toBeGreaterThan(0);
});

test("a shopper returns an item and is refunded", async ({ page, api, product }) => {
  const order = await api.order(product.sku, "pm_card_ok", 2);
  await api.until(order, "confirmed");
  await page.goto(`/orders/${order}`);
  await page.getByRole("button", { name: "Return items" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("spinbutton", { name: `Quantity of ${product.name}` }).fill("1");
  await dialog.getByLabel("Reason for the return").fill("It was a gift, and we have one");
  await dialog.getByRole("button", { name: "Return for €12.50" }).click();
  await expectText(page, "Completed");
  await expectText(page, "Partially refunded");
});

test("shipped items are refunded after an operator has confirmed their receipt", async ({ page, api, admin, product }) => {
  const order = await api.order(product.sku, "pm_card_ok", 2);
  await api.until(order, "confirmed");
  await admin.send("POST", `/v1/orders/${order}/shipments`, {});
  await page.goto(`/orders/${order}`);
  await page.getByRole("button", { name: "Return items" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("We will refund you as soon as we have received them.");
  await dialog.getByRole("spinbutton", { name: `Quantity of ${product.name}` }).fill("2");
  await dialog.getByLabel("Reason for the return").fill("Too strong");
  await dialog.getByRole("button", { name: "Return for €25.00" }).click();
  await expectText(page, "Please send the items back.");
  await expect(page.getByRole("button", { name: "Confirm receipt" })).toHaveCount(0);

  await signIn(page, "admin@souk.test", "admin-password-souk");
  await page.goto(`/orders/${order}`);
  await page.getByRole("button", { name: "Confirm receipt" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Confirm receipt" }).click();
  await expectText(page, "Completed");
  await expectText(page, "Items returned");
  await api.until(order, "returned");
});

test("breaking a checkout places a real order and shows its outcome", async ({ page, api, product }) => {
  const order = await api.order(product.sku, "pm_card_ok");
  await api.until(order, "confirmed");
  await page.goto(`/orders/${order}/saga`);
  await page.getByRole("button", { name: /A card that is declined/ }).click();
  await expect(page).not.toHaveURL(new RegExp(order));
  await expectText(page, /Payment declined/);
  await expectText(page, "is back in stock");
});

test("an order of another user is not found", async ({ page, admin, product }, info) => {
  info.annotations.push({ type: "noisy", description: "the browser logs the 404" });
  const order = await admin.order(product.sku, "pm_card_ok");
  const stranger = await register(page.request);
  await signIn(page, stranger.email, PASSWORD);
  await page.goto(`/orders/${order}`);
  await expect(page.getByRole("heading", { name: "Order not found" })).toBeVisible();
});

test("an order can be placed by keyboard only", async ({ page, api, product, shopper }) => {
  expect(shopper.email).toBeTruthy();
  await api.send("POST", "/v1/users/me/addresses", {
    name: "Keys",
    line1: "2 Market Street",
    city: "Berlin",
    postal_code: "10115",
    country: "DE",
  });
  await page.goto(`/products/${product.sku}`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await tabTo(page, "button", /^Add to cart/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Cart, 1 item" })).toBeVisible();
  await page.goto("/checkout");
  for (const button of ["Continue to payment", "Continue to review", "Place order"]) {
    await tabTo(page, "button", button);
    await page.keyboard.press("Enter");
  }
  await expect(page).toHaveURL(/\/orders\/[0-9a-f-]{36}$/);
  await expectText(page, "Order confirmed");
});

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, role: "button" | "link", name: string | RegExp): Promise<void> {
  const wanted = page.getByRole(role, { name }).first();
  await expect(wanted).toBeVisible();
  for (let presses = 0; presses < 60; presses += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never reached ${String(name)}`);
}
