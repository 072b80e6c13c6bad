// These tests stop processes of the system. They run sequentially, and each one restarts what it has stopped.
import { expect, signIn, test, xtask } from "./support";

/** Stops a process while `work` runs, and starts it again afterwards. */
async function without(name: string, work: () => Promise<void>): Promise<void> {
  await xtask("stop", name);
  try {
    await work();
  } finally {
    await xtask("start", name);
  }
}

const noisy = { annotation: { type: "noisy", description: "the browser logs every 503" } };

test("payments is down: the order page shows the order and that payment details are missing", noisy, async ({ page, api, product }) => {
  const order = await api.order(product.sku, "pm_card_ok");
  await api.until(order, "confirmed");
  await without("payments", async () => {
    await page.goto(`/orders/${order}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText(product.name).first()).toBeVisible();
    await expect(page.getByRole("main")).toContainText(/payment/i);
    await expect(page.getByText(/temporarily unavailable/i).first()).toBeVisible();
  });
});

test("the bank does not respond: the shopper cancels and is not charged", noisy, async ({ page, api, product }) => {
  const before = await api.order(product.sku, "pm_card_ok");
  await api.until(before, "confirmed");
  await page.goto(`/orders/${before}`);
  let order = "";
  await without("psp", async () => {
    await page.getByRole("button", { name: /A slow card/ }).click();
    await expect(page).not.toHaveURL(new RegExp(before));
    order = /[0-9a-f-]{36}/.exec(page.url())?.[0] ?? "";
    await page.getByRole("link", { name: "View order" }).click();
    await page.getByRole("button", { name: "Cancel order" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Cancel order" }).click();
    await expect(dialog).toBeHidden();
  });
  await api.until(order, "cancelled");
  await expect(page.getByRole("main")).toContainText("Cancelled");
  await expect(page.getByRole("button", { name: "Cancel order" })).toHaveCount(0);
});

test("inventory is down: the shop shows an error and recovers", noisy, async ({ page }) => {
  await without("inventory", async () => {
    // Not a category in which other tests create products.
    await page.goto("/products?category=textiles");
    await expect(page.getByRole("alert")).toBeVisible({ timeout: 30_000 });
  });
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { name: "Alpaca Socks" }).or(page.getByText("Alpaca Socks")).first()).toBeVisible();
});

test("inventory is down: the breaker opens, the back office shows it, and it closes after recovery", noisy, async ({
  page,
  request,
}) => {
  const browse = async () => (await request.get("/v1/products")).status();
  const row = page.getByRole("row").filter({ has: page.getByText("inventory", { exact: true }) });
  const open = row.getByRole("listitem").filter({ has: page.getByText("products", { exact: true }) });
  // A restart resets the breakers, which may still count the requests of other tests.
  await xtask("kill", "gateway");
  await xtask("start", "gateway");
  await signIn(page, "admin@souk.test", "admin-password-souk");
  await page.goto("/admin/gateway");
  const overview = (name: string) => page.getByRole("definition").filter({ has: page.locator(`xpath=preceding-sibling::dt[.='${name}']`) });
  await expect(overview("Open breakers").first()).toHaveText("0");
  await without("inventory", async () => {
    for (let calls = 0; calls < 25; calls += 1) expect(await browse()).toBe(503);
    await expect(overview("Open breakers").first()).toHaveText("1");
    await page.getByRole("link", { name: "Upstreams" }).click();
    await expect(open).toContainText("Open");
    await expect(open).toContainText("100% failed");
    const secondsLeft = async () => Number(/retries in (\d+)/.exec(await open.innerText())?.[1]);
    const before = await secondsLeft();
    expect(before).toBeGreaterThan(1);
    await expect.poll(secondsLeft, "it counts down").toBeLessThan(before - 1);
    await expect(row).toContainText(/Closed\d+ of \d+ routes/);
  });
  await expect.poll(browse).toBe(200);
  // Five successful calls close the breaker.
  for (let calls = 0; calls < 4; calls += 1) expect(await browse()).toBe(200);
  await expect(open).toBeHidden();
});

test("orders is killed during a checkout: the page reconnects and shows the confirmed order", noisy, async ({
  page,
  api,
  product,
}) => {
  const order = await api.order(product.sku, "pm_card_slow");
  await page.goto(`/orders/${order}/saga`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await xtask("kill", "orders");
  await xtask("start", "orders");
  await expect(page.getByText(/confirmed/i).first()).toBeVisible({ timeout: 45_000 });
});

test("a malformed reply parks a checkout, and an operator retries it", noisy, async ({ page, api, admin, product, playwright }) => {
  const broker = process.env["SOUK_TEST_AMQP_MANAGEMENT"];
  if (!broker) throw new Error("SOUK_TEST_AMQP_MANAGEMENT must be the URL of the broker's management API; `cargo xtask test` sets it");
  // No command reaches payments, so that no valid reply advances the checkout.
  const unreachable = { name: "payments_unreachable", reason: "for a test" };
  await admin.send("PUT", "/v1/admin/faults", { ...unreachable, seconds: 60 });
  const order = await api.order(product.sku, "pm_card_ok");
  await expect
    .poll(async () => {
      const { steps } = await api.send<{ steps: { name: string; state: string }[] }>("GET", `/v1/orders/${order}/saga`);
      return steps.find(({ name }) => name === "authorize_payment")?.state;
    })
    .toBe("running");
  const { username, password, origin } = new URL(broker);
  const management = await playwright.request.newContext({
    baseURL: origin,
    httpCredentials: { username, password, send: "always" },
  });
  const published = await management.post("/api/exchanges/%2f/amq.default/publish", {
    data: {
      routing_key: "orders.replies",
      properties: {
        message_id: crypto.randomUUID(),
        correlation_id: order,
        type: "saga.reply.v1",
        content_type: "application/json",
        delivery_mode: 2,
      },
      payload: "{ not a reply",
      payload_encoding: "string",
    },
  });
  expect(await published.json()).toEqual({ routed: true });
  await management.dispose();
  await expect
    .poll(async () => (await api.send<{ status: string }>("GET", `/v1/orders/${order}/saga`)).status)
    .toBe("parked");
  await admin.send("PUT", "/v1/admin/faults", { ...unreachable, seconds: 0 });

  await page.context().clearCookies();
  await signIn(page, "admin@souk.test", "admin-password-souk");
  await page.goto("/admin/dead-letters");
  const letter = page.getByRole("row").filter({ has: page.locator(`a[href="/admin/sagas/${order}"]`) });
  await letter.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByLabel(/reason/i).fill("not a valid reply");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(letter).toHaveCount(0);
  await page.goto(`/admin/sagas/${order}`);
  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByRole("dialog").getByLabel(/reason/i).fill("the reply was malformed");
  await page.getByRole("dialog").getByRole("button", { name: /retry/i }).click();
  await api.until(order, "confirmed");
  await expect(page.getByText(/completed/i).first()).toBeVisible();
});

test("an injected fault is shown on every page and ends automatically", async ({ page, api, product }) => {
  await signIn(page, "admin@souk.test", "admin-password-souk");
  await page.goto("/admin/faults");
  const duplicated = page.getByRole("listitem").filter({ hasText: /three times/i }).first();
  await duplicated.getByRole("button", { name: "Turn on" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox").selectOption("30");
  await dialog.getByLabel(/reason/i).fill("to see the banner");
  await dialog.getByRole("button", { name: "Turn on" }).click();
  await page.goto("/products");
  const banner = page.getByRole("complementary", { name: "Active faults" });
  await expect(banner).toBeVisible();
  // Every command is delivered three times and takes effect once.
  const order = await api.order(product.sku, "pm_card_ok");
  await api.until(order, "confirmed");
  await expect(banner).toBeHidden({ timeout: 50_000 });
});
