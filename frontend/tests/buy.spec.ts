import { ADDRESS, expect, fillAddress, PASSWORD, test } from "./support";

test("a new customer browses, registers during the checkout, and buys", async ({ page, product }) => {
  await page.goto("/");
  await page.getByRole("searchbox").fill(product.name);
  await page.getByRole("searchbox").press("Enter");
  await page.getByRole("link", { name: product.name }).first().click();
  await expect(page.getByRole("heading", { level: 1, name: product.name })).toBeVisible();
  await page.getByRole("button", { name: "Add to cart" }).first().click();
  await page.goto("/checkout");
  await page.getByRole("main").getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("Name").fill("Ada");
  await page.getByLabel("Email").fill(`new-${crypto.randomUUID()}@souk.test`);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("main").getByRole("button", { name: /create|register/i }).click();

  await expect(page).toHaveURL(/\/checkout/);
  await fillAddress(page);
  await page.getByRole("button", { name: "Continue to payment" }).click();
  await page.getByRole("radio", { name: "A card that works" }).check();
  await page.getByRole("button", { name: "Continue to review" }).click();
  await expect(page.getByRole("main")).toContainText(product.name);
  await expect(page.getByRole("main")).toContainText("€12.50");
  await page.getByRole("button", { name: "Place order" }).click();

  await expect(page).toHaveURL(/\/orders\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("main")).toContainText("Order confirmed");
  await expect(page.getByRole("button", { name: "Cart, empty" })).toBeVisible();
});

test("a checkout survives a reload at every step", async ({ page, api, product, shopper }) => {
  expect(shopper.email).toBeTruthy();
  await api.send("PUT", `/v1/cart/items/${product.sku}`, { quantity: 1 });
  await page.goto("/checkout");
  await fillAddress(page);
  await page.reload();
  await expect(page.getByLabel("Street and number")).toHaveValue(ADDRESS.line1);
  await page.getByRole("button", { name: "Continue to payment" }).click();
  await page.getByRole("radio", { name: "A slow card" }).check();
  await page.reload();
  await expect(page.getByRole("radio", { name: "A slow card" })).toBeChecked();
  await page.getByRole("button", { name: "Continue to review" }).click();
  await page.reload();
  await expect(page.getByRole("main")).toContainText(ADDRESS.line1);
  await expect(page.getByRole("button", { name: "Place order" })).toBeEnabled();
});

test("an order is placed once, even if its response is lost", async ({ page, api, product, shopper }, info) => {
  info.annotations.push({ type: "noisy", description: "the browser logs the lost response" });
  expect(shopper.email).toBeTruthy();
  await api.send("PUT", `/v1/cart/items/${product.sku}`, { quantity: 1 });
  await page.goto("/checkout");
  await fillAddress(page);
  await page.getByRole("button", { name: "Continue to payment" }).click();
  await page.getByRole("radio", { name: "A card that works" }).check();
  await page.getByRole("button", { name: "Continue to review" }).click();
  let lost = 0;
  await page.route("**/v1/orders", async (route) => {
    if (route.request().method() !== "POST" || lost > 0) return route.continue();
    lost += 1;
    await route.fetch();
    await route.abort("connectionreset");
  });
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("button", { name: "Check again" }).click();
  await expect(page).toHaveURL(/\/orders\/[0-9a-f-]{36}$/);
  expect(lost).toBe(1);
  expect((await api.send<{ items: unknown[] }>("GET", "/v1/orders")).items).toHaveLength(1);
});

test("a sold-out product cannot be added to the cart", async ({ page, admin, product }) => {
  await admin.send("POST", `/v1/products/${product.sku}/stock-adjustments`, { delta: -20, reason: "all gone" });
  await page.goto(`/products/${product.sku}`);
  await expect(page.getByText("Sold out").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Sold out" })).toBeDisabled();
  await expect(page.getByRole("button", { name: "Add to cart", exact: true })).toHaveCount(0);
});

test("a change that the server rejects is rolled back", async ({ page, api, product, shopper }, info) => {
  info.annotations.push({ type: "noisy", description: "the browser logs the 503" });
  expect(shopper.email).toBeTruthy();
  await api.send("PUT", `/v1/cart/items/${product.sku}`, { quantity: 1 });
  await page.goto("/cart");
  await page.route("**/v1/cart/items/*", (route) =>
    route.request().method() === "PUT"
      ? route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"title":"Unavailable","status":503}' })
      : route.continue(),
  );
  await expect(page.getByRole("button", { name: "Cart, 1 item" })).toBeVisible();
  await page.getByRole("main").getByRole("button", { name: "Increase" }).first().click();
  await expect(page.getByRole("button", { name: "Cart, 1 item" })).toBeVisible();
  await expect(page.getByRole("main")).toContainText("€12.50");
});

test("prices and texts are German in a German browser", async ({ browser, product, baseURL }) => {
  const context = await browser.newContext({ locale: "de-DE", ...(baseURL ? { baseURL } : {}) });
  const page = await context.newPage();
  await page.goto(`/products/${product.sku}`);
  await expect(page.locator("html")).toHaveAttribute("lang", "de");
  await expect(page.getByText(/12,50\s€/).first()).toBeVisible();
  await page.getByLabel("Sprache").selectOption("en");
  await expect(page.getByText("€12.50").first()).toBeVisible();
  await context.close();
});
