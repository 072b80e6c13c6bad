import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { type APIRequestContext, type Page, expect, test as base } from "@playwright/test";

/** The password of every account that the tests register. */
export const PASSWORD = "a-password-for-tests-1";
/** The shipping address of all test orders. */
export const ADDRESS = { name: "Test", line1: "1 Market Street", city: "Berlin", postal_code: "10115", country: "DE" };

/** A registered customer with an access token. */
export interface Shopper {
  readonly email: string;
  readonly token: string;
}

/** A client of the API that is independent of the page. */
export class Api {
  constructor(
    private readonly request: APIRequestContext,
    private readonly token: string,
  ) {}

  async send<T>(method: string, path: string, data?: unknown): Promise<T> {
    const response = await this.request.fetch(path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "idempotency-key": crypto.randomUUID() },
      ...(data === undefined ? {} : { data }),
    });
    expect(response.ok(), `${method} ${path}: ${response.status()} ${await response.text()}`).toBe(true);
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** Deletes the current version of a product. */
  async remove(path: string): Promise<void> {
    const authorization = `Bearer ${this.token}`;
    const etag = (await this.request.get(path)).headers()["etag"] ?? "";
    await this.request.delete(path, { headers: { authorization, "if-match": etag } });
  }

  /** Places an order for a product and returns its id. */
  async order(sku: string, method: string, quantity = 1): Promise<string> {
    const { id } = await this.send<{ id: string }>("POST", "/v1/orders", {
      items: [{ sku, quantity }],
      shipping_address: ADDRESS,
      payment_method: method,
    });
    return id;
  }

  /** Waits until an order has the given status. */
  async until(order: string, status: string): Promise<void> {
    await expect
      .poll(async () => (await this.send<{ status: string }>("GET", `/v1/orders/${order}`)).status, { timeout: 30_000 })
      .toBe(status);
  }
}

interface Fixtures {
  /** A new account, signed in on the page. */
  shopper: Shopper;
  api: Api;
  admin: Api;
  /** A product that only this test uses, with 20 items in stock. */
  product: { readonly sku: string; readonly name: string };
  /** Fails the test if the page logs an error to the console, unless the test is annotated as `noisy`. */
  quiet: void;
}

export const test = base.extend<Fixtures>({
  shopper: async ({ page, request }, use) => {
    const shopper = await register(request);
    await signIn(page, shopper.email, PASSWORD);
    await use(shopper);
  },
  api: async ({ request, shopper }, use) => {
    await use(new Api(request, shopper.token));
  },
  admin: async ({ request }, use) => {
    await use(new Api(request, await login(request, "admin@souk.test", "admin-password-souk")));
  },
  product: async ({ admin }, use) => {
    const sku = `WEB-${crypto.randomUUID().slice(0, 8)}`;
    const name = `Tin of ${sku}`;
    await admin.send("POST", "/v1/products", {
      sku,
      name,
      description: "Made by a test.",
      category: "tea",
      // A drawn image would end with the product, while another test's page is still loading it.
      image: "/icon.svg",
      price: { amount: 1250, currency: "EUR" },
    });
    await admin.send("POST", `/v1/products/${sku}/stock-adjustments`, { delta: 20, reason: "for a test" });
    await use({ sku, name });
    await admin.remove(`/v1/products/${sku}`);
  },
  quiet: [
    async ({ page }, use, info) => {
      const errors: string[] = [];
      page.on("console", (message) => {
        // The browser cancels all requests when the machine gets a network interface, as when Docker starts a container.
        if (message.text().includes("net::ERR_NETWORK_CHANGED")) return;
        if (message.type() === "error") errors.push(`${message.text()} (${message.location().url})`);
      });
      page.on("pageerror", (error) => errors.push(error.message));
      await use();
      if (!info.annotations.some(({ type }) => type === "noisy")) expect(errors, "errors in the console").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Signs in and returns an access token. */
export async function login(request: APIRequestContext, email: string, password: string): Promise<string> {
  const response = await request.post("/v1/auth/login", { data: { email, password } });
  expect(response.status()).toBe(200);
  return ((await response.json()) as { access_token: string }).access_token;
}

/** Registers a new customer. */
export async function register(request: APIRequestContext): Promise<Shopper> {
  const email = `web-${crypto.randomUUID()}@souk.test`;
  const response = await request.post("/v1/auth/register", { data: { email, password: PASSWORD, name: "Web Test" } });
  expect(response.status()).toBe(202);
  return { email, token: await login(request, email, PASSWORD) };
}

/** Signs the page's browser in: sets the refresh cookie, and the hint in local storage that it exists. */
export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto("/docs");
  await page.evaluate(
    async (credentials) => {
      const response = await fetch("/v1/auth/login", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...credentials, session: "cookie" }),
      });
      if (!response.ok) throw new Error(`sign-in failed: ${response.status}`);
      localStorage.setItem("souk.session", "1");
    },
    { email, password },
  );
}

/** Fills in the address form of the checkout. */
export async function fillAddress(page: Page): Promise<void> {
  await page.getByLabel("Full name").fill(ADDRESS.name);
  await page.getByLabel("Street and number").fill(ADDRESS.line1);
  await page.getByLabel("Postal code").fill(ADDRESS.postal_code);
  await page.getByLabel("Town or city").fill(ADDRESS.city);
  await page.getByLabel("Country").selectOption(ADDRESS.country);
}

/** Runs a command of xtask for the tested system, and returns what it prints. */
export async function xtask(...command: string[]): Promise<string> {
  const program = process.env["SOUK_XTASK"];
  if (!program) throw new Error("SOUK_XTASK and SOUK_STATE are needed to manage processes; `cargo xtask test` sets them");
  return (await promisify(execFile)(program, command)).stdout;
}
