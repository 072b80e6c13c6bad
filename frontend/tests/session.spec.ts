import { expect, PASSWORD, register, signIn, test } from "./support";

test("two tabs share a session, renew it one at a time, and end it together", async ({ context, page }) => {
  const shopper = await register(page.request);
  await signIn(page, shopper.email, PASSWORD);
  const other = await context.newPage();
  // Both come at once, each with the same cookie: a token that is used twice would end the session.
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

test("the access token is nowhere that a script of another page could keep it", async ({ page, shopper }) => {
  expect(shopper.email).toBeTruthy();
  await page.goto("/account");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  expect(stored).not.toMatch(/eyJ/);
  expect(stored).not.toMatch(/souk_refresh/);
});

test("signing in goes back to where it was asked for, and a wrong password is told", async ({ page }, info) => {
  info.annotations.push({ type: "noisy", description: "the browser logs the 401" });
  const shopper = await register(page.request);
  await page.goto("/orders");
  await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Email").fill(shopper.email);
  await page.getByLabel("Password", { exact: true }).fill("not-the-password-1");
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("The email address or the password is wrong.")).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/orders$/);
  await expect(page.getByRole("heading", { level: 1, name: "Your orders" })).toBeVisible();
});

test("signing out everywhere ends the other device's session", async ({ browser, page, baseURL, shopper }) => {
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
