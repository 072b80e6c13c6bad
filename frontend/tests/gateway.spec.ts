// The pages about the gateway in the back office. The breakers are tested in `breaks.spec.ts`.
import { readFile } from "node:fs/promises";

import { expect, signIn, test, xtask } from "./support";

test.beforeEach(async ({ page }) => {
  await signIn(page, "admin@souk.test", "admin-password-souk");
});

test("the rate of a route rises when requests are made", async ({ page, request }) => {
  await page.goto("/admin/gateway/routes");
  const field = page.getByRole("searchbox", { name: /find a route/i });
  await field.fill("/openapi.json");
  await field.press("Enter");
  const rows = page.getByRole("table", { name: "Routes" }).getByRole("row");
  await expect(rows).toHaveCount(2);
  const rate = async () => Number(await rows.nth(1).getByRole("cell").first().innerText());
  const before = await rate();
  for (let calls = 0; calls < 60; calls += 1) expect((await request.get("/openapi.json")).status()).toBe(200);
  await expect.poll(rate).toBeGreaterThan(before + 0.5);
  await expect(rows.nth(1)).toContainText(/\d ms|sec/);
  await expect(rows.nth(1)).toContainText("Answered by the gateway");

  await page.goto("/admin/gateway");
  await expect(page.getByRole("table", { name: "Busiest routes" })).toContainText("openapi");
});

test("routes are sorted by the pressed column", async ({ page }) => {
  await page.goto("/admin/gateway/routes");
  const names = page.getByRole("table", { name: "Routes" }).getByRole("rowheader");
  await expect(names.first()).toContainText("account");
  await page.getByRole("button", { name: "Route", exact: true }).click();
  await page.getByRole("button", { name: "Route", exact: true }).click();
  await expect(page.getByRole("columnheader", { name: "Route", exact: true })).toHaveAttribute("aria-sort", "descending");
  await expect(names.first()).toContainText("webhooks");
});

test("the limits of the routes are shown", async ({ page }) => {
  await page.goto("/admin/gateway/limits");
  await expect(page.getByRole("table", { name: "Quotas" })).toContainText("login");
  const row = page.getByRole("table", { name: "Concurrent calls" }).getByRole("row").filter({ hasText: "create_product" });
  await expect(row).toContainText("0 of 16");
});

const noisy = { annotation: { type: "noisy", description: "the browser logs the refused request" } };

test("an operator applies a configuration, and an invalid one is refused with the line of its error", noisy, async ({ page }) => {
  const file = await readFile(new URL("../../gateway/gateway.yaml", import.meta.url), "utf8");
  await page.goto("/admin/gateway/configuration");
  const attempts = page.getByRole("table", { name: "Last attempts" }).getByRole("row");
  await expect(attempts.nth(1)).toBeVisible();
  const field = page.getByLabel("Configuration (YAML)");
  const apply = async (yaml: string) => {
    await field.fill(yaml);
    await page.getByRole("button", { name: "Check and apply" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Check and apply" }).click();
    await expect(page.getByRole("dialog")).toBeHidden();
  };

  const line = file.split("\n").findIndex((text) => text.startsWith("  logout:")) + 1;
  await apply(file.replace(/^( {2}logout: .*)to: users/m, "$1to: nobody"));
  const alert = page.getByRole("alert");
  await expect(alert).toContainText(`Line ${line}, column`);
  await expect(alert).toContainText("there is no upstream named `nobody`");
  await expect(attempts.nth(1)).toContainText("Refused");
  await expect(attempts.nth(1)).toContainText(`Line ${line}, column`);
  await alert.getByRole("button", { name: `Go to line ${line}` }).click();
  await expect(field).toBeFocused();

  // The same configuration as before, so that it changes nothing for other tests.
  await apply(file);
  await expect(page.getByText("The configuration has been applied.")).toBeVisible();
  await expect(alert).toBeHidden();
  await expect(attempts.nth(1)).toContainText("Applied");
});

test("the dashboard on the admin port shows routes, upstreams and the configuration, without an account", async ({ page, request }) => {
  const { processes } = JSON.parse(await xtask("status", "--json")) as { processes: { name: string; admin_url?: string }[] };
  const dashboard = processes.find(({ name }) => name === "gateway")?.admin_url ?? "";
  await request.get("/v1/products");
  await page.goto(dashboard);
  const rows = (name: string) => page.getByRole("table", { name }).getByRole("row");
  await expect(rows("Upstreams").filter({ hasText: "inventory" }).first()).toContainText("healthy");
  await expect(rows("Routes, in the last minute").filter({ hasText: "GET /v1/products " }).first()).toContainText("ms");
  await expect(rows("Quotas").filter({ hasText: "public" }).first()).toContainText("in 60 s");
  await expect(rows("Configuration").nth(1)).toContainText("applied");
  await expect(page.getByRole("status")).toContainText("Updated at");
});
