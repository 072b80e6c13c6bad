// What stops processes of the system: alone, one after the other, and everything runs again at the end of each.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { expect, signIn, test } from "./support";

async function xtask(...command: string[]): Promise<string> {
  const program = process.env["SOUK_XTASK"];
  if (!program) throw new Error("SOUK_XTASK and SOUK_STATE say how to stop and start processes; `cargo xtask test` sets them");
  return (await promisify(execFile)(program, command)).stdout;
}

/** Without this process while `work` goes on. */
async function without(name: string, work: () => Promise<void>): Promise<void> {
  await xtask("stop", name);
  try {
    await work();
  } finally {
    await xtask("start", name);
  }
}

const noisy = { annotation: { type: "noisy", description: "the browser logs every 503" } };

test("payments is away: the order is shown without it, and says so", noisy, async ({ page, api, product }) => {
  const order = await api.order(product.sku, "pm_card_ok");
  await api.until(order, "confirmed");
  await without("payments", async () => {
    await page.goto(`/orders/${order}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText(product.name).first()).toBeVisible();
    await expect(page.getByRole("main")).toContainText(/payment/i);
    await expect(page.getByText(/cannot be (shown|had|reached)|not available right now|missing/i).first()).toBeVisible();
  });
});

test("the bank does not answer: a shopper cancels, and nothing is charged", noisy, async ({ page, api, product }) => {
  const before = await api.order(product.sku, "pm_card_ok");
  await api.until(before, "confirmed");
  await page.goto(`/orders/${before}`);
  let order = "";
  await without("psp", async () => {
    await page.getByRole("button", { name: /A slow card/ }).click();
    await expect(page).not.toHaveURL(new RegExp(before));
    order = /[0-9a-f-]{36}/.exec(page.url())?.[0] ?? "";
    await page.getByRole("link", { name: "To the order" }).click();
    await page.getByRole("button", { name: "Cancel the order" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Cancel the order" }).click();
    await expect(dialog).toBeHidden();
  });
  await api.until(order, "cancelled");
  await expect(page.getByRole("main")).toContainText("Cancelled");
  await expect(page.getByRole("button", { name: "Cancel the order" })).toHaveCount(0);
});

test("inventory is away: the shop says so, and goes on when it is back", noisy, async ({ page }) => {
  await without("inventory", async () => {
    // Not the category of what other tests list.
    await page.goto("/products?category=textiles");
    await expect(page.getByRole("alert")).toBeVisible({ timeout: 30_000 });
  });
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { name: "Alpaca Socks" }).or(page.getByText("Alpaca Socks")).first()).toBeVisible();
});

test("inventory is away: the gateway soon stops asking it, operators see that, and it is asked again when it is back", noisy, async ({
  page,
  request,
}) => {
  const browse = async () => (await request.get("/v1/products")).status();
  const row = page.getByRole("row").filter({ has: page.getByText("inventory", { exact: true }) });
  const open = row.getByRole("listitem").filter({ has: page.getByText("products", { exact: true }) });
  // Its breakers know nothing of what other tests asked a few seconds ago, nor how often they have been open.
  await xtask("kill", "gateway");
  await xtask("start", "gateway");
  await signIn(page, "admin@souk.test", "admin-password-souk");
  await page.goto("/admin/upstreams");
  await without("inventory", async () => {
    for (let calls = 0; calls < 25; calls += 1) expect(await browse()).toBe(503);
    await expect(open).toContainText("Open");
    await expect(open).toContainText("100% fail");
    const rest = async () => Number(/tries again in (\d+)/.exec(await open.innerText())?.[1]);
    const before = await rest();
    expect(before).toBeGreaterThan(1);
    await expect.poll(rest, "it counts down").toBeLessThan(before - 1);
    await expect(row).toContainText(/Closed\d+ of \d+ routes/);
  });
  await expect.poll(browse).toBe(200);
  // Five that do well close it.
  for (let calls = 0; calls < 4; calls += 1) expect(await browse()).toBe(200);
  await expect(open).toBeHidden();
});

test("orders is killed while a checkout is watched: the page resumes and sees it confirmed", noisy, async ({
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

test("a poisoned reply parks a checkout, and an operator retries it", noisy, async ({ page, api, admin, product, playwright }) => {
  const broker = process.env["SOUK_TEST_AMQP_MANAGEMENT"];
  if (!broker) throw new Error("SOUK_TEST_AMQP_MANAGEMENT is the broker's management API; `cargo xtask test` sets it");
  // No command reaches payments, so that no true reply moves the checkout on by itself.
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
      payload: "{ this is no reply",
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
  await page.getByRole("dialog").getByLabel(/reason/i).fill("it is no reply");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(letter).toHaveCount(0);
  await page.goto(`/admin/sagas/${order}`);
  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByRole("dialog").getByLabel(/reason/i).fill("the reply was garbage");
  await page.getByRole("dialog").getByRole("button", { name: /retry/i }).click();
  await api.until(order, "confirmed");
  await expect(page.getByText(/completed/i).first()).toBeVisible();
});

test("what is broken on purpose is told on every page, and heals by itself", async ({ page, api, product }) => {
  await signIn(page, "admin@souk.test", "admin-password-souk");
  await page.goto("/admin/faults");
  const duplicated = page.getByRole("listitem").filter({ hasText: /three times/i }).first();
  await duplicated.getByRole("button", { name: "Turn on" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox").selectOption("30");
  await dialog.getByLabel(/reason/i).fill("to see the banner");
  await dialog.getByRole("button", { name: "Turn on" }).click();
  await page.goto("/products");
  const banner = page.getByRole("complementary", { name: "Broken on purpose" });
  await expect(banner).toBeVisible();
  // Every command comes three times, and has its effect once.
  const order = await api.order(product.sku, "pm_card_ok");
  await api.until(order, "confirmed");
  await expect(banner).toBeHidden({ timeout: 50_000 });
});
