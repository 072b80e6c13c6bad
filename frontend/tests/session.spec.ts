import { expect, PASSWORD, register, signIn, test } from "./support";

test("two tabs share a session, renew it sequentially, and end it together", async ({ context, page }) => {
  const shopper = await register(page.request);
  await signIn(page, shopper.email, PASSWORD);
  const other = await context.newPage();
  // Both load at the same time with the same cookie. A token that is used twice would end the session.
  await Promise.all([page.goto("/orders"), other.goto("/account")]);
  await expect(page.getByRole("button", { name: "Account" })).toBeVisible();
  await expect(other.getByRole("button", { name: "Account" })).toBeVisible();
  await Promise.all([page.reload(), other.reload()]);
  await expect(other.getByRole("button", { name: "Account" })).toBeVisible();
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("banner").getByRole("link", { name: "Sign in" })).toBeVisible();
  await expect(other.getByRole("banner").getByRole("link", { name: "Sign in" })).toBeVisible();
});

test("no token is readable from storage or cookies", async ({ page, shopper }) => {
  expect(shopper.email).toBeTruthy();
  await page.goto("/account");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  expect(stored).not.toMatch(/eyJ/);
  expect(stored).not.toMatch(/souk_refresh/);
});

test("a wrong password shows an error, and signing in returns to the requested page", async ({ page }, info) => {
  info.annotations.push({ type: "noisy", description: "the browser logs the 401" });
  const shopper = await register(page.request);
  await page.goto("/orders");
  await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Email").fill(shopper.email);
  await page.getByLabel("Password", { exact: true }).fill("not-the-password-1");
  await page.getByRole("main").getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText("The email address or the password is incorrect.")).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("main").getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page).toHaveURL(/\/orders$/);
  await expect(page.getByRole("heading", { level: 1, name: "Your orders" })).toBeVisible();
});

test("signing out everywhere ends the session on another device", async ({ browser, page, baseURL, shopper }) => {
  const device = await browser.newContext(baseURL ? { baseURL } : {});
  const elsewhere = await device.newPage();
  await signIn(elsewhere, shopper.email, PASSWORD);
  await page.goto("/account?tab=sessions");
  await page.getByRole("button", { name: /everywhere/i }).click();
  await page.getByRole("dialog").getByRole("button", { name: /everywhere/i }).click();
  await expect(page.getByRole("banner").getByRole("link", { name: "Sign in" })).toBeVisible();
  await elsewhere.goto("/orders");
  await expect(elsewhere.getByRole("banner").getByRole("link", { name: "Sign in" })).toBeVisible();
  await device.close();
});
